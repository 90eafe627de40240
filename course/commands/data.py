"""`course data`."""

import argparse

from core.errors import check_name
from fcn import fetch

FETCH = {
    "cmp": fetch.fetch_cmp,
    "voc": fetch.fetch_voc,
    "sbd": fetch.fetch_sbd,
    "tinyimagenet": fetch.fetch_tiny_imagenet,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help=f"one of {', '.join(FETCH)}")
    parser.add_argument("--into", metavar="DIR", help="default: dataset/NAME, where the notebooks look")
    parser.add_argument("--year", default="2012", help="of VOC: 2007 to 2012 (default: 2012)")


def run(options: argparse.Namespace) -> None:
    check_name("data set to fetch", options.name, FETCH)
    year = [options.year] if options.name == "voc" else []
    FETCH[options.name](options.into, *year)
