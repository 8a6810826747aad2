"""Ready schemas: each read from a small file with the header and codes of its publisher, and rows of our own."""

import json
from pathlib import Path

import pandas as pd
import pyproj
import pytest
from pydantic import ValidationError

from geo.collisions.read import read_collisions
from geo.collisions.schemas.published.known import PRESETS, recognise
from geo.collisions.schemas.published.preset import Header
from geo.collisions.schemas.published.reference import reference
from geo.config import collision_settings
from geo.errors import ConfigurationError, LayerError

USERS = ("pedestrian", "cyclist", "motorcyclist", "car_occupant")
LETTERS = dict(zip(USERS, "PCMO", strict=True))


def written(folder: Path, text: str, name: str = "records.csv", encoding: str = "utf-8") -> str:
    path = folder / name
    path.write_text(text, encoding=encoding)
    return str(path)


def read(schema: str, *sources: str, **keys: object):
    return read_collisions(collision_settings(schema=schema, sources=list(sources), **keys))


def severities(source):
    return dict(zip(source.table["collision_id"], source.table["severity"], strict=True))


def days(source):
    return [None if pd.isna(day) else day.date().isoformat() for day in source.table["date"]]


def users(source):
    """Letters of the road users of each collision; small ones where it is not known whether there was one."""
    told = []
    for row in source.table[list(USERS)].to_dict("records"):
        sure = "".join(LETTERS[user] for user in USERS if row[user] is True or row[user] == True)  # noqa: E712
        told.append(sure + "".join(LETTERS[user].lower() for user in USERS if pd.isna(row[user])))
    return told


def degrees(source):
    """Places in degrees, to five decimals."""
    change = pyproj.Transformer.from_crs(source.crs, 4326, always_xy=True)
    x, y = change.transform(source.table["x"].to_numpy(), source.table["y"].to_numpy())
    return [(round(float(a), 5), round(float(b), 5)) for a, b in zip(x, y, strict=True)]


# --- Toronto ---------------------------------------------------------------------------------------------------------

TORONTO_OLD = """\
OBJECTID,INDEX,ACCNUM,DATE,TIME,STREET1,STREET2,ROAD_CLASS,LATITUDE,LONGITUDE,ACCLOC,ACCLASS,INVTYPE,INVAGE,INJURY,\
FATAL_NO,PEDESTRIAN,CYCLIST,AUTOMOBILE,MOTORCYCLE,TRUCK
1,3387730,893184,2006-01-01 05:00:00,236,WOODBINE AVE,O CONNOR DR,Major Arterial,43.699595,-79.318797,,Fatal,Driver,\
50 to 54,None,,Yes,,Yes,,
2,3387731,893184,2006-01-01 05:00:00,236,WOODBINE AVE,O CONNOR DR,Major Arterial,43.699595,-79.318797,,Fatal,\
Pedestrian,15 to 19,Fatal,1,Yes,,Yes,,
3,3388101,949378,2006-12-31 05:00:00,315,DANFORTH AVE,WEST LYNN AVE,Major Arterial,43.684547,-79.316188,,\
Non-Fatal Injury,Cyclist,20 to 24,Major,,,Yes,Yes,,
4,3388102,949378,2006-12-31 05:00:00,315,DANFORTH AVE,WEST LYNN AVE,Major Arterial,43.684547,-79.316188,,\
Non-Fatal Injury,Driver,30 to 34,Minimal,,,Yes,Yes,,
"""
TORONTO_NEW = """\
_id,collision_id,accdate,stname1,stname2,per_inv,acclass,accloc,road_class,longitude,latitude,veh_no,vehtype,per_no,\
invage,injury,road_user,fatal_no,cyclist,motorcyclist,pedestrian
1,2301:55,2023-06-30T23:40:00,KING ST W,BAY ST,2,Non-Fatal Injury,At Intersection,Major Arterial,-79.38,43.648,1,\
Motorcycle,1,35,Major,Motorcyclist,,,Yes,
2,2301:55,2023-06-30T23:40:00,KING ST W,BAY ST,2,Non-Fatal Injury,At Intersection,Major Arterial,-79.38,43.648,2,\
Automobile,2,41,Minor,Driver,,,Yes,
"""


def test_toronto_has_a_row_a_person_and_a_collision_its_worst_injury(tmp_path):
    source = read("toronto_ksi", written(tmp_path, TORONTO_OLD))
    assert severities(source) == {"893184": "fatal", "949378": "serious"}
    assert days(source) == ["2006-01-01", "2006-12-31"]
    assert users(source) == ["PO", "CO"]
    assert degrees(source) == [(-79.3188, 43.6996), (-79.31619, 43.68455)]
    assert source.table["road_name"].tolist() == ["WOODBINE AVE", "DANFORTH AVE"]


def test_toronto_is_in_its_own_time_where_dates_are_written_in_utc(tmp_path):
    text = TORONTO_OLD.replace("2006-12-31 05:00:00", "2007-01-01T04:30:00+00").replace(
        " 05:00:00", "T05:00:00+00"
    )
    assert days(read("toronto_ksi", written(tmp_path, text))) == ["2006-01-01", "2006-12-31"]


def test_toronto_is_read_without_the_columns_that_only_tell_it_from_other_tables(tmp_path):
    text = TORONTO_OLD.replace("ACCLASS", "CLASS").replace("INVTYPE", "KIND")
    assert severities(read("toronto_ksi", written(tmp_path, text))) == {
        "893184": "fatal",
        "949378": "serious",
    }


def test_toronto_changed_the_names_of_its_columns_in_2025(tmp_path):
    source = read("toronto_ksi", written(tmp_path, TORONTO_NEW))
    assert severities(source) == {"2301:55": "serious"}
    assert days(source) == ["2023-06-30"]
    assert users(source) == ["Mo"], "cars are in no column of the new file"


# --- New York --------------------------------------------------------------------------------------------------------

NEW_YORK = """\
CRASH DATE,CRASH TIME,BOROUGH,ZIP CODE,LATITUDE,LONGITUDE,LOCATION,ON STREET NAME,CROSS STREET NAME,OFF STREET NAME,\
NUMBER OF PERSONS INJURED,NUMBER OF PERSONS KILLED,NUMBER OF PEDESTRIANS INJURED,NUMBER OF PEDESTRIANS KILLED,\
NUMBER OF CYCLIST INJURED,NUMBER OF CYCLIST KILLED,NUMBER OF MOTORIST INJURED,NUMBER OF MOTORIST KILLED,\
CONTRIBUTING FACTOR VEHICLE 1,COLLISION_ID,VEHICLE TYPE CODE 1
09/11/2021,2:39,BROOKLYN,11208,40.667202,-73.8665,"(40.667202, -73.8665)",ATLANTIC AVE,,,2,0,0,0,0,0,2,0,x,4455765,Sedan
03/02/2022,11:45,,,40.751442,-73.973404,"(40.751442, -73.973404)",E 42 ST,3 AVE,,0,1,0,1,0,0,0,0,x,4513547,Bus
06/12/2022,6:55,,,40.701275,-73.888870,"(40.701275, -73.88887)",,,12 KING ST,1,0,0,0,1,0,0,0,x,4541903,Sedan
12/01/2022,8:00,,,40.7,-73.9,"(40.7, -73.9)",,,9 KING ST,0,0,0,0,0,0,0,0,x,4541999,Sedan
"""


def test_new_york_counts_killed_and_injured_and_knows_no_serious_injury(tmp_path):
    source = read("new_york", written(tmp_path, NEW_YORK))
    assert severities(source) == {
        "4455765": "slight",
        "4513547": "fatal",
        "4541903": "slight",
        "4541999": None,
    }
    assert source.severities == {"fatal", "slight"}, "without serious ones there is no KSI"
    assert days(source) == ["2021-09-11", "2022-03-02", "2022-06-12", "2022-12-01"], "the month stands first"
    assert users(source) == ["mo", "Pmo", "Cmo", "mo"]
    assert source.table["n_casualties"].tolist() == [2, 1, 1, 0]


def test_new_york_is_read_as_its_api_and_its_first_files_write_it(tmp_path):
    renamed = NEW_YORK.replace("CRASH DATE", "DATE").replace("COLLISION_ID", "UNIQUE KEY")
    head, rows = NEW_YORK.split("\n", 1)
    lower = head.lower().replace(" ", "_") + "\n" + rows
    plain = severities(read("new_york", written(tmp_path, NEW_YORK)))
    assert severities(read("new_york", written(tmp_path, renamed))) == plain
    assert severities(read("new_york", written(tmp_path, lower))) == plain


# --- Chicago ---------------------------------------------------------------------------------------------------------

CHICAGO = """\
CRASH_RECORD_ID,CRASH_DATE_EST_I,CRASH_DATE,POSTED_SPEED_LIMIT,FIRST_CRASH_TYPE,CRASH_TYPE,STREET_NO,STREET_DIRECTION,\
STREET_NAME,MOST_SEVERE_INJURY,INJURIES_TOTAL,INJURIES_FATAL,INJURIES_INCAPACITATING,INJURIES_NON_INCAPACITATING,\
INJURIES_REPORTED_NOT_EVIDENT,INJURIES_NO_INDICATION,INJURIES_UNKNOWN,LATITUDE,LONGITUDE,LOCATION
6c1659,,08/09/2023 05:00:00 PM,30,PEDESTRIAN,INJURY,1,W,LAKE ST,FATAL,1,1,0,0,0,1,0,41.8854,-87.6655,POINT (-87.6 41.8)
5f54a5,,07/04/2023 02:45:00 PM,30,PEDALCYCLIST,INJURY,2,N,CLARK ST,INCAPACITATING INJURY,1,0,1,0,0,1,0,41.9,-87.63,
61fcb8,,01/12/2023 12:10:00 AM,30,REAR END,INJURY,3,S,STATE ST,"REPORTED, NOT EVIDENT",2,0,0,0,2,1,0,41.85,-87.62,
004cd0,,03/03/2023 11:55:00 PM,30,ANGLE,NO INJURY,4,S,WELLS ST,NO INDICATION OF INJURY,0,0,0,0,0,3,0,41.86,-87.63,
a6c1d0,,03/04/2023 09:00:00 AM,30,ANGLE,NO INJURY,4,S,WELLS ST,,,,,,,,,41.87,-87.63,
"""


def test_chicago_tells_the_most_severe_injury_in_words(tmp_path):
    source = read("chicago", written(tmp_path, CHICAGO))
    assert severities(source) == {
        "6c1659": "fatal",
        "5f54a5": "serious",
        "61fcb8": "slight",
        "004cd0": None,
        "a6c1d0": None,
    }
    assert days(source) == ["2023-08-09", "2023-07-04", "2023-01-12", "2023-03-03", "2023-03-04"]
    assert users(source) == ["Pmo", "Cmo", "mo", "mo", "mo"]
    assert source.table["n_casualties"].tolist()[:4] == [1, 1, 2, 0]
    assert any("no injury" in entry.reason and entry.count == 1 for entry in source.entries)


# --- FARS ------------------------------------------------------------------------------------------------------------

FARS = """\
STATE,ST_CASE,VE_TOTAL,PERSONS,COUNTY,DAY,MONTH,YEAR,HOUR,MINUTE,TWAY_ID,LATITUDE,LONGITUD,FATALS
1,10001,1,2,81,{day},1,{year},2,40,US-280,32.6411,-85.3538,1
1,10002,2,2,55,16,1,{year},18,45,SR-77,33.9999,-86.0859,1
1,10003,1,1,29,9,6,{year},4,5,I-20,99.99990000,999.99990000,2
"""
PERSON = """\
STATE,ST_CASE,VE_FORMS,VEH_NO,PER_NO,DAY,MONTH,HOUR,BODY_TYP,PER_TYP,INJ_SEV
1,10001,1,1,1,{day},1,2,4,1,0
1,10001,1,0,1,{day},1,2,,5,4
1,10002,2,1,1,16,1,18,80,1,4
1,10002,2,2,1,16,1,18,14,1,3
1,10003,1,1,1,9,6,4,{body},1,4
1,10003,1,0,1,9,6,4,,6,9
"""


def test_fars_is_of_fatal_collisions_alone_and_its_cases_start_anew_each_year(tmp_path):
    first = written(tmp_path, FARS.format(day=1, year=2018), "accident18.csv")
    second = written(tmp_path, FARS.format(day=29, year=2019), "accident19.csv")
    source = read("fars", first, second)
    assert source.severities == {"fatal"}
    assert list(severities(source)) == [
        f"{year}/{case}" for year in (2018, 2019) for case in (10001, 10002, 10003)
    ]
    assert set(severities(source).values()) == {"fatal"}
    assert days(source) == [
        "2018-01-01",
        "2018-01-16",
        "2018-06-09",
        "2019-01-29",
        "2019-01-16",
        "2019-06-09",
    ]
    assert degrees(source)[1] == (-86.0859, 33.9999)
    assert source.table["x"].isna().tolist() == [False, False, True] * 2, "99.9999 is no place"


def test_fars_persons_are_brought_to_the_cases_of_their_own_year(tmp_path):
    first = written(tmp_path, FARS.format(day=1, year=2018), "accident18.csv")
    second = written(tmp_path, FARS.format(day=29, year=2019), "accident19.csv")
    people = written(tmp_path, PERSON.format(day=29, body=2), "person.csv")
    source = read("fars", first, second, casualties=people)
    assert users(source) == ["pcmo"] * 3 + ["P", "MO", "Oc"], "whether the cyclist was hurt is not recorded"
    assert source.table["n_casualties"].astype(object).where(
        source.table["n_casualties"].notna(), None
    ).tolist() == [
        *[None] * 3,
        *(1, 2, None),
    ]
    both = written(tmp_path, PERSON.format(day=16, body=2), "other.csv")
    with pytest.raises(LayerError, match="of which year"):
        read("fars", first, second, casualties=both)


# --- BAAC ------------------------------------------------------------------------------------------------------------

CHARACTERISTICS = {
    2016: """\
Num_Acc,an,mois,jour,hrmn,lum,agg,int,atm,col,com,adr,gps,lat,long,dep
201600000001,16,2,1,1445,1,2,1,8,3,5,"46, rue Sonneville",M,5057357,297642,590
201600000002,16,3,16,1800,1,2,6,1,6,5,1a rue du général,M,0,0,590
""",
    2022: """\
Accident_Id;jour;mois;an;hrmn;lum;dep;com;agg;int;atm;col;adr;lat;long
202200000001;19;10;2022;16:15;1;26;26198;2;3;1;3;TEIL(vieille route du);44,5594200000;4,7257200000
202200000002;20;10;2022;08:34;1;25;25204;2;3;1;3;Miranda;46,9258100000;6,3462000000
""",
}
PERSONS = {
    2016: """\
Num_Acc,place,catu,grav,sexe,trajet,secu,locp,actp,etatp,an_nais,num_veh
201600000001,1,1,1,2,0,11,0,0,0,1983,B02
201600000001,1,1,3,1,9,21,0,0,0,2001,A01
201600000002,,3,2,1,5,11,3,3,1,1960,A01
201600000002,1,1,1,1,5,11,0,0,0,1970,A01
""",
    2022: """\
Num_Acc;id_usager;id_vehicule;num_veh;place;catu;grav;sexe;an_nais;trajet;secu1
202200000001;1 099 700;813 952;A01;1;1;4;1;2008;5;2
202200000001;1 099 701;813 953;B01;1;1;1;1;1948;5;1
202200000002;1 099 698;813 950;B01;1;1;-1;1;1988;9;1
""",
}
VEHICLES = {
    2016: """\
Num_Acc,senc,catv,occutc,obs,obsm,choc,manv,num_veh
201600000001,0,07,0,0,0,1,1,B02
201600000001,0,02,0,0,0,7,15,A01
201600000002,0,07,0,6,0,1,1,A01
""",
    2022: """\
Num_Acc;id_vehicule;num_veh;senc;catv;obs;obsm;choc;manv;motor;occutc
202200000001;813 952;A01;1;80;0;2;1;9;1;
202200000001;813 953;B01;1;7;0;2;2;1;1;
202200000002;813 950;B01;2;7;0;2;8;15;1;
""",
}
PLACES = """\
Num_Acc;catr;voie;v1;v2;circ;nbv
202200000001;3;D907;0;N/A;2;2
202200000002;4;TEIL(vieille route du);0;N/A;2;2
"""


@pytest.fixture
def baac(tmp_path):
    """Tables of two years: in Windows-1252 with commas, and in UTF-8 with semicolons."""
    for year, encoding in ((2016, "cp1252"), (2022, "utf-8")):
        for name, tables in (
            ("caracteristiques", CHARACTERISTICS),
            ("usagers", PERSONS),
            ("vehicules", VEHICLES),
        ):
            written(tmp_path, tables[year], f"{name}-{year}.csv", encoding)
    written(tmp_path, PLACES, "lieux-2022.csv")
    return tmp_path


def linked(folder, *kinds):
    names = {"casualties": "usagers", "vehicles": "vehicules", "places": "lieux"}
    return {kind: str(folder / f"{names[kind]}-*.csv") for kind in kinds}


def test_baac_brings_persons_and_vehicles_to_the_collision(baac):
    source = read("baac", str(baac / "carac*.csv"), **linked(baac, "casualties", "vehicles", "places"))
    assert severities(source) == {
        "201600000001": "serious",
        "201600000002": "fatal",
        "202200000001": "slight",
        "202200000002": None,
    }
    assert days(source) == ["2016-02-01", "2016-03-16", "2022-10-19", "2022-10-20"], "16 is 2016"
    assert users(source) == ["M", "P", "C", "o"], "those that were hurt; of the last it is not known"
    assert degrees(source)[0] == (2.97642, 50.57357), "hundred thousandths of a degree"
    assert degrees(source)[2] == (4.72572, 44.55942), "decimal commas"
    assert source.table["x"].isna().tolist() == [False, True, False, False]
    assert source.table["road_ref"].tolist() == [None, None, "D907", None]
    assert source.table["n_casualties"].tolist()[:3] == [1, 1, 1]


def test_baac_without_its_persons_knows_no_severity(baac):
    source = read("baac", str(baac / "carac*.csv"))
    assert source.severities == frozenset()
    assert source.table["severity"].isna().all()


def test_baac_of_years_in_one_file_is_read_row_by_row(baac):
    text = CHARACTERISTICS[2022].replace("Accident_Id", "Num_Acc")
    text += '201600000001;1;2;16;14:45;1;590;5;2;1;8;3;"46, rue";5057357;297642\n'
    text += "202000000009;1;2;2020;14:45;1;590;5;2;1;8;3;rue;50.57357;2.97642\n"
    source = read("baac", written(baac, text, "all.csv"))
    assert degrees(source)[2] == degrees(source)[3] == (2.97642, 50.57357)
    assert source.table["year"].tolist() == [2022, 2022, 2016, 2020]


def test_baac_joined_with_its_persons_has_a_row_a_person(baac):
    head, first, second = CHARACTERISTICS[2022].splitlines()
    text = "\n".join([f"{head};grav", f"{first};1", f"{first};4", f"{first};3", f"{second};1"])
    source = read("baac", written(baac, text, "joined.csv"), rows="persons")
    assert severities(source) == {"202200000001": "serious", "202200000002": None}


def test_linked_tables_alone_are_no_records(baac):
    with pytest.raises(ConfigurationError, match=r"collisions\.sources"):
        read("baac", str(baac / "usagers-2022.csv"), casualties=str(baac / "usagers-*.csv"))


def test_baac_says_that_serious_collisions_of_before_2018_do_not_compare():
    schema = collision_settings(schema="baac", sources=[])
    assert "ONISR" in schema.breaks(pd.DataFrame({"source_year": [2016, 2022]}))[0]
    assert schema.breaks(pd.DataFrame({"source_year": [2019, 2022]})) == []


# --- Unfallatlas -----------------------------------------------------------------------------------------------------

UNFALLATLAS = {
    2018: """\
OBJECTID_1;ULAND;UREGBEZ;UKREIS;UGEMEINDE;UJAHR;UMONAT;USTUNDE;UWOCHENTAG;UKATEGORIE;UART;UTYP1;ULICHTVERH;IstRad;\
IstPKW;IstFuss;IstKrad;IstGkfz;IstSonstig;STRZUSTAND;LINREFX;LINREFY;XGCSWGS84;YGCSWGS84
1;01;0;03;000;2018;01;08;5;2;0;7;0;1;0;0;0;0;0;0;612054,341999;5969634,006;10,703950299;53,863081147
2;01;0;62;020;2018;12;15;6;3;5;2;0;0;1;0;0;0;0;1;592301,984999;5938800,027;10,396494816;53,589905976
""",
    2019: """\
OBJECTID;ULAND;UREGBEZ;UKREIS;UGEMEINDE;UJAHR;UMONAT;USTUNDE;UWOCHENTAG;UKATEGORIE;UART;UTYP1;ULICHTVERH;IstRad;\
IstPKW;IstFuss;IstKrad;IstGkfz;IstSonstige;LINREFX;LINREFY;XGCSWGS84;YGCSWGS84;STRZUSTAND
1;01;0;56;015;2019;07;19;4;1;2;6;2;0;1;1;0;0;0;547114,9332;5955266,0911;9,714396363;53,743906875;1
2;01;0;56;015;2019;07;20;4;3;2;6;2;0;0;0;1;0;0;547114,9332;5955266,0911;9,714396363;53,753906875;1
""",
}


def test_unfallatlas_counts_its_ids_anew_each_year_and_knows_months_alone(tmp_path):
    files = [written(tmp_path, text, f"Unfallorte{year}_LinRef.csv") for year, text in UNFALLATLAS.items()]
    source = read("unfallatlas", *files)
    assert list(severities(source).values()) == ["serious", "slight", "fatal", "slight"]
    assert len(severities(source)) == 4, "1 of 2018 is not 1 of 2019"
    assert source.table["year"].tolist() == [2018, 2018, 2019, 2019]
    assert days(source) == [None] * 4, "a month is no day"
    assert users(source) == ["C", "O", "PO", "M"]
    assert degrees(source)[0] == (10.70395, 53.86308)


def test_unfallatlas_of_a_land_in_windows_letters_is_read(tmp_path):
    head, rows = UNFALLATLAS[2019].split("\n", 1)
    text = f"{head};STRASSE\n" + "\n".join(f"{row};Süd{i}" for i, row in enumerate(rows.split()))
    source = read("unfallatlas", written(tmp_path, text, encoding="cp1252"), columns={"road_name": "STRASSE"})
    assert source.table["road_name"].tolist() == ["Süd0", "Süd1"]


# --- Queensland ------------------------------------------------------------------------------------------------------

QUEENSLAND = """\
Crash_Ref_Number,Crash_Severity,Crash_Year,Crash_Month,Crash_Day_Of_Week,Crash_Hour,Crash_Nature,Crash_Type,\
Crash_Longitude{datum},Crash_Latitude{datum},Crash_Street,Count_Casualty_Fatality,Count_Casualty_Hospitalised,\
Count_Casualty_MedicallyTreated,Count_Casualty_MinorInjury,Count_Casualty_Total,Count_Unit_Car,\
Count_Unit_Motorcycle_Moped,Count_Unit_Truck,Count_Unit_Bus,Count_Unit_Bicycle,Count_Unit_Pedestrian,Count_Unit_Other
1,Property damage only,2009,January,Friday,4,Hit object,Single,153.04,-27.49,Ipswich Rd,0,0,0,0,0,1,0,0,0,0,0,0
2,Hospitalisation,2010,February,Friday,4,Angle,Multi,153.05,-27.50,Logan Rd,0,1,0,0,1,1,1,0,0,0,0,0
3,Medical treatment,2010,December,Friday,4,Hit pedestrian,Single,153.06,-27.51,Ann St,0,0,1,0,1,1,0,0,0,0,1,0
4,Fatal,2011,June,Friday,4,Angle,Multi,153.07,-27.52,Ann St,1,0,0,1,2,0,0,1,0,1,0,0
"""


@pytest.mark.parametrize("datum", ["_GDA94", ""])
def test_queensland_tells_severity_in_words_and_units_by_counts(tmp_path, datum):
    source = read("queensland", written(tmp_path, QUEENSLAND.format(datum=datum)))
    assert severities(source) == {"1": None, "2": "serious", "3": "slight", "4": "fatal"}
    assert source.table["year"].tolist() == [2009, 2010, 2010, 2011]
    assert days(source) == [None] * 4
    assert users(source) == ["O", "MO", "PO", "C"]
    assert source.table["n_casualties"].tolist() == [0, 1, 1, 2]
    assert degrees(source)[0] == (153.04, -27.49)


# --- New Zealand -----------------------------------------------------------------------------------------------------

NEW_ZEALAND = """\
X,Y,OBJECTID,advisorySpeed,bicycle,carStationWagon,crashFinancialYear,crashLocation1,crashLocation2,crashSeverity,\
crashYear,fatalCount,minorInjuryCount,moped,motorcycle,pedestrian,seriousInjuryCount,speedLimit
{auckland},1,,0,1,2019/2020,QUEEN ST,WELLESLEY ST,Fatal Crash,2019,1,0,0,0,1,0,50
{wellington},2,,1,1,2020/2021,CUBA ST,ABEL SMITH ST,Serious Crash,2020,0,1,0,0,,2,50
{wellington},3,,0,0,2020/2021,CUBA ST,ABEL SMITH ST,Minor Crash,2021,0,1,1,0,,0,50
{wellington},4,,0,2,2020/2021,CUBA ST,ABEL SMITH ST,Non-Injury Crash,2021,0,0,0,0,,0,50
"""


@pytest.mark.parametrize(
    ("auckland", "wellington"),
    [("1757209.4,5920482.1", "1748735.4,5427916.4"), ("174.7633,-36.8485", "174.7762,-41.2865")],
)
def test_new_zealand_tells_the_year_alone_and_writes_metres_or_degrees(tmp_path, auckland, wellington):
    text = NEW_ZEALAND.format(auckland=auckland, wellington=wellington)
    source = read("new_zealand_cas", written(tmp_path, text))
    assert severities(source) == {"1": "fatal", "2": "serious", "3": "slight", "4": None}
    assert source.table["year"].tolist() == [2019, 2020, 2021, 2021]
    assert users(source) == ["PO", "CO", "M", "O"]
    assert source.table["n_casualties"].tolist() == [1, 3, 1, 0]
    assert degrees(source)[0] == pytest.approx((174.7633, -36.8485), abs=2e-4)
    assert degrees(source)[1] == pytest.approx((174.7762, -41.2865), abs=2e-4)


# --- Helsinki and Geneva ---------------------------------------------------------------------------------------------

HELSINKI = """\
LAJI;pohj_etrs;ita_etrs;VAKAV_A;VV
MA;6674000;25500000;1;2019
PP;6674100;25496100;2;2019
JK;6674200;25496200;3;2020
MP;6674300;25496300;2;2024
"""


def test_helsinki_counts_severity_the_other_way_round_than_finland(tmp_path):
    source = read("helsinki", written(tmp_path, HELSINKI))
    assert source.table["severity"].tolist() == [None, "slight", "fatal", "slight"], (
        "3 is death here, and 1 nationally"
    )
    assert source.severities == {"fatal", "slight"}
    assert users(source) == ["o", "Co", "Po", "Mo"]
    assert source.table["year"].tolist() == [2019, 2019, 2020, 2024]
    # the grid's middle is 25 degrees east, where northings are lengths of the meridian (EPSG:3879)
    lon, lat, _ = pyproj.Geod(ellps="GRS80").fwd(25.0, 0.0, 0.0, 6_674_000.0)
    assert degrees(source)[0] == pytest.approx((lon, lat), abs=1e-5)


GENEVA = """\
OBJECTID;ID_ACCIDENT;DATE_;GROUPE_ACCIDENT;TYPE;CAUSE;COMMUNE;CONDITIONS_LUMINEUSES;CONSEQUENCES;COOR_X;COOR_Y;HEURE;\
JOUR;NB_BLESSES_LEGERS;NB_BLESSES_GRAVES;NB_TUES;NB_PIETONS;NB_BICYCLETTES;NB_VAE_25;NB_VAE_45;NB_CYCLOMOTEURS;\
NB_MOTOS_50;NB_MOTOS;NB_VOITURES_TOURISME;TOTAL_PERSONNES;ANNEE;E;N
1;1200001;2012-03-05 00:00:00;a;b;c;Genève;jour;d;500500;117500;08:10;Lundi;0;1;0;1;0;0;0;0;0;0;1;2;2012;2600000;1200000
2;1200002;2012-05-03 00:00:00;a;b;c;Onex;jour;d;500600;117600;08:10;Jeudi;2;0;1;0;0;1;0;0;0;1;0;3;2012;2500600;1117600
3;1200003;2013-01-31 00:00:00;a;b;c;Genève;jour;d;500700;117700;08:10;Jeudi;0;0;0;0;0;0;0;0;0;0;2;2;2013;2500700;1117700
"""


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_geneva_counts_killed_and_hurt_on_the_swiss_grid(tmp_path, encoding):
    source = read("geneva", written(tmp_path, GENEVA, encoding=encoding))
    assert severities(source) == {"1200001": "serious", "1200002": "fatal", "1200003": None}
    assert source.severities == {"fatal", "serious", "slight"}
    assert days(source) == ["2012-03-05", "2012-05-03", "2013-01-31"]
    assert users(source) == ["PO", "CM", "O"]
    assert source.table["n_casualties"].tolist() == [1, 3, 0]
    # the grid begins at the old observatory of Bern (swisstopo, "Formulas and constants for the calculation of the
    # Swiss conformal cylindrical projection")
    assert degrees(source)[0] == pytest.approx((7.43863, 46.95108), abs=1e-5)


# --- What all have in common -----------------------------------------------------------------------------------------

SAMPLES = {
    "toronto_ksi": TORONTO_OLD,
    "new_york": NEW_YORK,
    "chicago": CHICAGO,
    "fars": FARS,
    "baac": CHARACTERISTICS[2022],
    "unfallatlas": UNFALLATLAS[2019],
    "queensland": QUEENSLAND.format(datum=""),
    "new_zealand_cas": NEW_ZEALAND,
    "helsinki": HELSINKI,
    "geneva": GENEVA,
    "stats19": "collision_index,collision_severity,date\n",
}


def header(text):
    first = text.splitlines()[0]
    return first.split(";" if ";" in first else ",")


@pytest.mark.parametrize("schema", SAMPLES)
def test_a_header_is_known_for_what_it_is_and_for_nothing_else(schema):
    assert recognise(header(SAMPLES[schema])) == schema
    assert [name for name, preset in PRESETS.items() if preset.is_of(Header(header(SAMPLES[schema])))] == [
        name for name in (schema,) if name in PRESETS
    ]


def test_a_header_of_no_schema_is_none():
    assert recognise(["id", "date", "lon", "lat", "easting", "northing", "severity"]) is None


@pytest.mark.parametrize("schema", ["stats19", "columns", "chicago"])
def test_a_file_of_another_schema_is_refused_by_its_name(tmp_path, schema):
    source = written(tmp_path, UNFALLATLAS[2019])
    keys = {"columns": {"x": "lon", "y": "lat"}} if schema == "columns" else {}
    with pytest.raises(LayerError, match=r"collisions\.schema: unfallatlas"):
        read(schema, source, **keys)


def test_a_file_that_lacks_a_column_of_its_schema_is_told_which(tmp_path):
    with pytest.raises(LayerError, match=r"(?s)records\.csv: .*MOST_SEVERE_INJURY.*there are.*LATITUDE"):
        read("chicago", written(tmp_path, CHICAGO.replace("MOST_SEVERE_INJURY", "SEVERITY")))


def test_single_keys_stand_over_those_of_the_schema(tmp_path):
    text = UNFALLATLAS[2019].replace("XGCSWGS84", "lon").replace("YGCSWGS84", "lat")
    metres = read("unfallatlas", written(tmp_path, text))
    asked = read("unfallatlas", written(tmp_path, text), columns={"x": "lon", "y": "lat", "crs": "EPSG:4326"})
    assert metres.crs.to_epsg() == 25832
    assert asked.crs.to_epsg() == 4326
    assert degrees(metres)[0] == pytest.approx(degrees(asked)[0], abs=1e-3)


def test_points_of_a_geojson_are_taken_where_no_columns_hold_them(tmp_path):
    head, row = CHICAGO.splitlines()[:2]
    cells = dict(zip(head.split(","), row.split(","), strict=False))
    kept = {
        key: cells[key] for key in ("CRASH_RECORD_ID", "CRASH_DATE", "MOST_SEVERE_INJURY", "FIRST_CRASH_TYPE")
    }
    feature = {
        "type": "Feature",
        "properties": kept,
        "geometry": {"type": "Point", "coordinates": [-87.5, 41.5]},
    }
    text = json.dumps({"type": "FeatureCollection", "features": [feature]})
    assert degrees(read("chicago", written(tmp_path, text, "crashes.geojson"))) == [(-87.5, 41.5)]


def test_the_page_on_records_is_up_to_date():
    page = Path(__file__).parents[2] / "docs" / "records.md"
    assert page.read_text(encoding="utf-8") == reference()


def test_a_schema_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ValidationError, match=r"toronto_ksi.*new_york.*columns"):
        collision_settings(schema="paris")
