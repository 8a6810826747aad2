"""Dates in every form."""

from __future__ import annotations

import numpy as np
import pandas as pd
from forms import RIGHT, Make, Refused, Told, add
from making import moments, records

KIND = "dates"
FORMAT = Refused("date_format")
NO_DAY = ("day", "period", "years")


def written(form, columns: dict[str, object] | None = None, **keys: object) -> Make:
    return records(moments(form), columns, **keys)


def far(zone: str, form: str = "%Y-%m-%dT%H:%M:%SZ"):
    """Write moments of a place in UTC."""
    return lambda moment: (
        moment.tz_localize(zone, ambiguous=True, nonexistent="shift_forward").tz_convert("UTC").strftime(form)
    )


def shifted(zone: str):
    """Write moments on the clock of a place with its offset."""
    return lambda moment: moment.tz_localize(zone, ambiguous=True, nonexistent="shift_forward").isoformat()


def serial(moment: pd.Timestamp) -> float:
    """Count days as Excel does, from the end of 1899."""
    return round((moment - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1), 5)


FRENCH = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")
GERMAN = ("Jan", "Feb", "Mär", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez")

for name, form in {
    "ISO with T": "%Y-%m-%dT%H:%M",
    "ISO with seconds": "%Y-%m-%d %H:%M:%S",
    "ISO with milliseconds (Socrata)": "%Y-%m-%dT%H:%M:00.000",
    "ISO with microseconds": "%Y-%m-%d %H:%M:00.000000",
    "day first, slashes": "%d/%m/%Y",
    "day first, slashes and time": "%d/%m/%Y %H:%M",
    "day first, dots": "%d.%m.%Y",
    "day first, dots and time": "%d.%m.%Y %H:%M",
    "day first, dashes": "%d-%m-%Y",
    "year first, slashes": "%Y/%m/%d",
    "year first, slashes and time": "%Y/%m/%d %H:%M:%S",
    "month first, slashes": "%m/%d/%Y",
    "month first, twelve hours": "%m/%d/%Y %I:%M:%S %p",
    "month in letters": "%d-%b-%Y",
    "month in letters, spaces": "%d %b %Y",
}.items():
    add(KIND, name, written(form))
for name, form in {
    "year first, dots": "%Y.%m.%d",
    "day first, dots and seconds": "%d.%m.%Y %H:%M:%S",
    "day first, dots, T": "%d.%m.%YT%H:%M",
    "day first, dashes and time": "%d-%m-%Y %H:%M",
    "digits alone": "%Y%m%d",
    "digits alone with time": "%Y%m%d%H%M%S",
    "month in letters, capitals, two digits of the year (Oracle)": "%d-%b-%y",
    "month first in letters": "%b %d, %Y",
    "month first in letters, whole": "%B %d, %Y",
    "day and month in letters, whole": "%d %B %Y",
    "weekday before": "%a %d %b %Y",
    "weekday before, American": "%A, %B %d, %Y",
    "day of the year": "%Y-%j",
    "week of the year": "%G-W%V-%u",
    "day first, two digits of the year": "%d/%m/%y",
    "dots, two digits of the year": "%d.%m.%y",
    "month first, two digits of the year": "%m/%d/%y",
    "year first, two digits of it": "%y-%m-%d",
    "year first, two digits of it, digits alone": "%y%m%d",
    "a comma before the time": "%d/%m/%Y, %H:%M:%S",
    "time first": "%H:%M %d/%m/%Y",
    "year-month-day in Japanese": "%Y年%m月%d日",
    "with the name of the zone": "%Y-%m-%d %H:%M:%S GMT",
    "spaces about dashes": "%d - %m - %Y",
    "hours with h": "%d/%m/%Y %Hh%M",
    "hours with dots": "%d.%m.%Y %H.%M",
    "a dot after the time's am and pm": "%m/%d/%Y %I:%M %p",
}.items():
    add(KIND, name, written(form), RIGHT, FORMAT)
for name, form in {
    "digits alone": "%Y%m%d",
    "digits, day first": "%d%m%Y",
    "digits, two of the year": "%y%m%d",
    "weekday before": "%a %d %b %Y",
    "year-month-day in Japanese": "%Y年%m月%d日",
    "day of the year": "%Y-%j",
    "hours with h": "%d/%m/%Y %Hh%M",
}.items():
    add(KIND, f"{name}, by date_format", written(form, {"date_format": form}))
add(KIND, "a date_format that fits no cell", written("%d/%m/%Y", {"date_format": "%Y-%m-%d"}), FORMAT)
add(
    KIND,
    "a date_format for dates alone, cells with times",
    written("%d/%m/%Y %H:%M", {"date_format": "%d/%m/%Y"}),
    RIGHT,
    FORMAT,
)
add(KIND, "a date_format that is none", written("%d/%m/%Y", {"date_format": "DD/MM/YYYY"}), RIGHT, FORMAT)
add(KIND, "months in French", written(lambda m: f"{m.day} {FRENCH[m.month - 1]} {m.year}"), RIGHT, FORMAT)
add(
    KIND, "months in German", written(lambda m: f"{m.day:02d}. {GERMAN[m.month - 1]} {m.year}"), RIGHT, FORMAT
)
add(
    KIND,
    "years of the Japanese emperor",
    written(lambda m: f"令和{m.year - 2018}年{m.month}月{m.day}日"),
    RIGHT,
    FORMAT,
    place="japan",
)
add(
    KIND,
    "years of the Buddha",
    written(lambda m: f"{m.day:02d}/{m.month:02d}/{m.year + 543}"),
    RIGHT,
    Refused("date"),
    Told("25[0-9][0-9]", wrong=("year", *NO_DAY)),
)
add(KIND, "single digits, day first", written(lambda m: f"{m.day}/{m.month}/{m.year}"))
add(
    KIND,
    "single digits, month first",
    written(lambda m: f"{m.month}/{m.day}/{m.year} {m.hour}:{m.minute:02d}"),
)
add(KIND, "single digits, dots", written(lambda m: f"{m.day}.{m.month}.{m.year}"))
add(KIND, "Excel serials", written(serial), RIGHT, FORMAT)
add(KIND, "Excel serials, whole", written(lambda m: int(serial(m))), RIGHT, FORMAT)
add(
    KIND,
    "Excel serials with a decimal comma",
    written(lambda m: str(serial(m)).replace(".", ",")),
    RIGHT,
    FORMAT,
)
add(KIND, "epoch seconds", written(lambda m: int(m.timestamp())), RIGHT, FORMAT)
add(KIND, "epoch milliseconds", written(lambda m: int(m.timestamp() * 1000)), RIGHT, FORMAT)
add(KIND, "epoch milliseconds with .0", written(lambda m: f"{m.timestamp() * 1000:.1f}"), RIGHT, FORMAT)
add(
    KIND,
    "epoch milliseconds as 1.6E+12",
    written(lambda m: f"{m.timestamp() * 1000:.2E}"),
    FORMAT,
    Refused("date|round"),
)
add(
    KIND,
    "epoch milliseconds in New York, time_zone named",
    written(
        lambda m: int(
            m.tz_localize("America/New_York", ambiguous=True, nonexistent="shift_forward").timestamp() * 1000
        ),
        {"time_zone": "America/New_York"},
    ),
    RIGHT,
    FORMAT,
    place="usa",
)
add(KIND, ".NET's /Date(...)/", written(lambda m: f"/Date({int(m.timestamp() * 1000)})/"), RIGHT, FORMAT)
add(KIND, "Julian days", written(lambda m: f"{m.to_julian_date():.3f}"), RIGHT, FORMAT)
add(KIND, "offset of New York", written(shifted("America/New_York")), place="usa")
add(KIND, "offset of Tokyo", written(shifted("Asia/Tokyo")), place="japan")
add(KIND, "offset of Brisbane", written(shifted("Australia/Brisbane")), place="australia")
add(KIND, "offset of Paris, summer and winter", written(shifted("Europe/Paris")), place="france")
add(
    KIND,
    "offset without a colon",
    written(
        lambda m: (
            shifted("America/New_York")(m).replace(":00-05:00", ":00-0500").replace(":00-04:00", ":00-0400")
        )
    ),
    place="usa",
)
add(
    KIND,
    "offset of hours alone (PostgreSQL)",
    written(lambda m: shifted("America/New_York")(m).replace("T", " ")[:-3]),
    RIGHT,
    FORMAT,
    place="usa",
)
add(
    KIND,
    "UTC with Z, time_zone of New York",
    written(far("America/New_York"), {"time_zone": "America/New_York"}),
    place="usa",
)
add(
    KIND,
    "UTC with Z, time_zone of Tokyo",
    written(far("Asia/Tokyo"), {"time_zone": "Asia/Tokyo"}),
    place="japan",
)
add(
    KIND,
    "UTC without Z, time_zone of Brisbane",
    written(far("Australia/Brisbane", "%Y-%m-%d %H:%M:%S"), {"time_zone": "Australia/Brisbane"}),
    place="australia",
)
add(
    KIND,
    "offsets and their time_zone",
    written(shifted("America/New_York"), {"time_zone": "America/New_York"}),
    place="usa",
)
add(
    KIND,
    "a time_zone that is none",
    written("%Y-%m-%d %H:%M", {"time_zone": "Moon/Base"}),
    Refused("time_zone"),
)
add(KIND, "UTC with Z all at midnight, which are days (ArcGIS)", written("%Y-%m-%dT00:00:00Z"))
add(
    KIND,
    "UTC with Z all at midnight, and a time_zone west",
    written("%Y-%m-%dT00:00:00Z", {"time_zone": "America/New_York"}),
    RIGHT,
    Refused("time_zone|midnight"),
    Told("time_zone|midnight", wrong=("day", "year", "period")),
    place="usa",
)
add(
    KIND,
    "UTC with Z, no time_zone, west of Greenwich",
    written(far("America/New_York")),
    RIGHT,
    Refused("time_zone"),
    Told("UTC|time_zone", wrong=("day", "year", "period", "years")),
    place="usa",
)
add(
    KIND,
    "UTC with +00:00, no time_zone, Japan",
    written(far("Asia/Tokyo", "%Y-%m-%dT%H:%M:%S+00:00")),
    RIGHT,
    Refused("time_zone"),
    Told("UTC|time_zone", wrong=("day", "year", "period", "years")),
    place="japan",
)

KIND = "parts of dates"
add(
    KIND,
    "months without a day",
    written("%Y-%m"),
    RIGHT,
    Told("month"),
    Refused("month|date_format"),
    lacks=NO_DAY,
)
add(
    KIND,
    "months without a day, slashes",
    written("%m/%Y"),
    RIGHT,
    Told("month"),
    Refused("month|date_format"),
    lacks=NO_DAY,
)
add(
    KIND,
    "months in letters",
    written("%b %Y"),
    RIGHT,
    Told("month"),
    Refused("month|date_format"),
    lacks=NO_DAY,
)
add(
    KIND,
    "months in letters, two digits of the year (Excel)",
    written("%b-%y"),
    RIGHT,
    Told("month"),
    Refused("month|date_format"),
    lacks=NO_DAY,
)
add(KIND, "years in the column of dates", written("%Y"), Refused(r"columns\.year"))
add(KIND, "years with .0 in the column of dates", written("%Y.0"), Refused(r"columns\.year"))
add(
    KIND,
    "years in the column of years",
    written("%Y", {"date": None, "year": "date"}),
    lacks=("day", "period"),
)
add(KIND, "years with .0", written("%Y.0", {"date": None, "year": "date"}), lacks=("day", "period"))
add(
    KIND,
    "two digits of the year",
    written("%y", {"date": None, "year": "date"}),
    RIGHT,
    Refused("year"),
    lacks=("day", "period"),
)
add(
    KIND,
    "dates in the column of years",
    records(columns={"date": None, "year": "date"}),
    RIGHT,
    Refused(r"columns\.(year|date)|as years"),
    lacks=NO_DAY,
)
add(
    KIND,
    "financial years",
    written(lambda m: f"{m.year}-{(m.year + 1) % 100}", {"date": None, "year": "date"}),
    Refused(r"columns\.year|year"),
    lacks=NO_DAY,
)
add(
    KIND,
    "years with a thousands separator",
    written(lambda m: f"{m.year:,}", {"date": None, "year": "date"}),
    RIGHT,
    Refused("year"),
    lacks=("day", "period"),
)


def parted(year: str, month: str, day: str) -> Make:
    def part(frame: pd.DataFrame) -> pd.DataFrame:
        when = pd.to_datetime(frame["date"])
        parts = {
            "jahr": when.dt.strftime(year),
            "monat": when.dt.strftime(month),
            "tag": when.dt.strftime(day),
        }
        return frame.drop(columns="date").assign(**parts)

    return records(part, {"date": None, "year": "jahr", "month": "monat", "day": "tag"})


add(KIND, "year, month and day apart", parted("%Y", "%m", "%d"))
add(KIND, "year, month and day apart, no leading zeros", parted("%Y", "%-m", "%-d"))
add(KIND, "year, month and day apart, two digits of the year (BAAC)", parted("%y", "%m", "%d"))
add(
    KIND,
    "year, month and day apart, the month in letters",
    parted("%Y", "%B", "%d"),
    RIGHT,
    Refused(r"columns\.month"),
)
add(KIND, "year, month and day apart, with .0", parted("%Y.0", "%m.0", "%d.0"))
add(
    KIND,
    "year, month and weekday, called the day",
    parted("%Y", "%m", "%u"),
    RIGHT,
    Refused("day"),
    Told("day", wrong=("day", "period")),
    lacks=("day", "period"),
)
add(
    KIND,
    "year and month apart",
    records(
        lambda f: f.assign(jahr=f["date"].str[:4], monat=f["date"].str[5:7]),
        {"date": None, "year": "jahr", "month": "monat"},
    ),
    lacks=NO_DAY,
)
add(
    KIND,
    "month and day columns turned round",
    parted("%Y", "%d", "%m"),
    Refused("month|day"),
    Told("month|day|cannot be read", but=NO_DAY, wrong=NO_DAY),
)

KIND = "mixed dates"


def mixed(*forms: str):
    return lambda frame: frame.assign(
        date=[m.strftime(forms[i % len(forms)]) for i, m in enumerate(pd.to_datetime(frame["date"]))]
    )


def strange(cell: object, *, every: int, form: str = "%Y-%m-%d %H:%M"):
    return lambda f: moments(form)(f).assign(
        date=lambda g: g["date"].where(np.arange(len(g)) % every != 0, cell)
    )


GONE = ("day", "year", "period", "years")
add(KIND, "half ISO, half day first", records(mixed("%Y-%m-%d", "%d/%m/%Y")), RIGHT, FORMAT)
add(
    KIND,
    "one in ten day first, the rest ISO",
    records(mixed(*["%Y-%m-%d"] * 9, "%d/%m/%Y")),
    RIGHT,
    FORMAT,
    Told("dates?.*cannot be read|cannot be read", but=GONE),
)
add(KIND, "half with a time, half without", records(mixed("%d/%m/%Y", "%d/%m/%Y %H:%M")), RIGHT, FORMAT)
add(KIND, "ISO, half with a time", records(mixed("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S")))
add(KIND, "half with two digits of the year", records(mixed("%d/%m/%Y", "%d/%m/%y")), RIGHT, FORMAT)
add(
    KIND,
    "half Excel serials, half text (a column that Excel read in part)",
    records(
        lambda f: f.assign(
            date=[
                int(serial(m)) if m.day <= 12 else m.strftime("%d/%m/%Y") for m in pd.to_datetime(f["date"])
            ]
        )
    ),
    RIGHT,
    FORMAT,
)
add(
    KIND,
    "day first that an American Excel turned where it could",
    records(
        lambda f: f.assign(
            date=[
                f"{m.year}-{m.day:02d}-{m.month:02d}" if m.day <= 12 else m.strftime("%d/%m/%Y")
                for m in pd.to_datetime(f["date"])
            ]
        )
    ),
    FORMAT,
    Refused("date"),
)
add(
    KIND,
    "days up to the twelfth alone, slashes",
    records(lambda f: moments("%d/%m/%Y")(f[pd.to_datetime(f["date"]).dt.day <= 12])),
    FORMAT,
)
add(
    KIND,
    "one in twenty empty",
    records(strange("", every=20)),
    RIGHT,
    Told("date|no time|empty", but=GONE),
    lacks=(),
)
add(
    KIND,
    "one in twenty 0000-00-00",
    records(strange("0000-00-00", every=20)),
    Told("cannot be read|date", but=GONE),
    Refused("date"),
)
add(
    KIND,
    "one in twenty 1900-01-01",
    records(strange("1900-01-01", every=20)),
    Told("1900", but=("day", "year", "collisions"), wrong=("day", "year")),
    Refused("1900"),
)
add(
    KIND,
    "one in twenty 2099-12-31",
    records(strange("2099-12-31", every=20)),
    Told("2099", but=("day", "year", "collisions", "period", "years"), wrong=("day", "year")),
    Refused("2099"),
)
add(
    KIND,
    "one of the year 1970 (an empty cell as epoch 0)",
    records(strange("1970-01-01 00:00", every=239)),
    Told("1970", but=("day", "year", "collisions", "period", "years"), wrong=("day", "year")),
    Refused("1970"),
)
add(
    KIND,
    "one in twenty the thirtieth of February",
    records(strange("2021-02-30", every=20)),
    Told("cannot be read", but=GONE),
    Refused("date"),
)
add(KIND, "the column of dates holds times of day", records(moments("%H:%M")), FORMAT, Refused("date"))
add(KIND, "the column of dates holds hours of the day", records(moments("%H")), FORMAT, Refused("date"))
add(KIND, "the column of dates holds months of the year", records(moments("%m")), FORMAT, Refused("date"))
add(KIND, "the column of dates holds ids", records(columns={"date": "n_casualties"}), FORMAT, Refused("date"))
add(KIND, "a quote before each (Excel)", records(moments("'%d/%m/%Y")), RIGHT, FORMAT)
add(KIND, "cells shown as ########", records(lambda f: f.assign(date="########")), FORMAT, Refused("date"))
add(
    KIND,
    "Excel's 1904 serials",
    records(moments(lambda m: int(serial(m)) - 1462)),
    Refused("date"),
    Told("2015|1904", wrong=GONE),
)
