"""Tables of collisions that are published in Germany, Finland and Switzerland."""

from __future__ import annotations

from geo.collisions.schemas.published.preset import DEGREES, OneOf, Place, Preset
from geo.collisions.schemas.schemes import SCHEMES, Scheme

UNFALLATLAS = Preset(
    title="Germany, Unfallatlas",
    source="Statistische Ämter des Bundes und der Länder, Unfallatlas, 'Unfallorte'; fields as described by "
    "the Land Schleswig-Holstein, Open Data, 'Unfalldaten'",
    names={
        "id": ("UIDENTSTLAE", "UIDENTSTLA", "OBJECTID", "OBJECTID_1", "OID_", "ID", "FID"),
        "year": ("UJAHR",),
        "month": ("UMONAT",),
        "severity": ("UKATEGORIE",),
    },
    places=(
        Place(("XGCSWGS84",), ("YGCSWGS84",), DEGREES),
        Place(("LINREFX",), ("LINREFY",), "EPSG:25832"),
    ),
    needs=("year", "severity"),
    users={
        "pedestrian": ("IstFuss",),
        "cyclist": ("IstRad",),
        "motorcyclist": ("IstKrad",),
        "car_occupant": ("IstPKW",),
    },
    scheme=SCHEMES["german"],
    year_within=("OBJECTID", "OBJECTID_1", "OID_", "ID", "FID"),
    encodings=("utf-8-sig", "cp1252"),
    note="No day is published: the month is all that is known of the date. serious is at least 24 hours in "
    "hospital. Road users are those that took part.",
)

HELSINKI = Preset(
    title="Helsinki, liikenneonnettomuudet",
    source="City of Helsinki, Helsinki Region Infoshare, 'Liikenneonnettomuudet Helsingissä'",
    names={"year": ("VV",), "severity": ("VAKAV_A",)},
    places=(Place(("ita_etrs",), ("pohj_etrs",), "EPSG:3879"),),
    needs=("year", "severity"),
    telling=(("LAJI",), ("ita_etrs",)),
    users={
        "pedestrian": OneOf(("LAJI",), ("JK",)),
        "cyclist": OneOf(("LAJI",), ("PP",)),
        "motorcyclist": OneOf(("LAJI",), ("MP",)),
    },
    scheme=Scheme(
        {"fatal": ["3"], "serious": [], "slight": ["2"]},
        ("1",),
        (),
        "City of Helsinki: VAKAV_A 1 damage alone, 2 injury, 3 death: the reverse of Finland's national records",
    ),
    note="The records do not tell serious from slight injuries: 'slight' is any injury, and KSI is not known. "
    "Each collision is of one kind of road user (LAJI): what else took part is not known. There are neither "
    "ids nor days.",
)

GENEVA = Preset(
    title="Geneva, accidents de la circulation",
    source="Système d'information du territoire à Genève (SITG), OTC_ACCIDENTS",
    names={"id": ("ID_ACCIDENT",), "date": ("DATE_",), "year": ("ANNEE",)},
    places=(Place(("E",), ("N",), "EPSG:2056"),),
    needs=("id", "fatal", "serious", "slight"),
    sums={
        "fatal": ("NB_TUES",),
        "serious": ("NB_BLESSES_GRAVES",),
        "slight": ("NB_BLESSES_LEGERS",),
    },
    users={
        "pedestrian": ("NB_PIETONS",),
        "cyclist": ("NB_BICYCLETTES", "NB_VAE_25", "NB_VAE_45"),
        "motorcyclist": ("NB_CYCLOMOTEURS", "NB_MOTOS_50", "NB_MOTOS", "NB_MOTOS_125", "NB_MOTOS_11KW"),
        "car_occupant": ("NB_VOITURES_TOURISME",),
    },
    encodings=("utf-8-sig", "cp1252"),
    note="Collisions with damage alone are among them. Road users are those that took part; electric bicycles are "
    "bicycles.",
)
