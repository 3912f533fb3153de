"""Specs: what the user writes for an arm."""

from __future__ import annotations

import pytest

from gilbench.checks.arms.spec import Spec, parse
from gilbench.errors import UserError


def test_specs() -> None:
    assert parse("HEAD~1") == Spec("HEAD~1", rev="HEAD~1")
    assert parse("path=../x,python=3.13").path == "../x"
    assert parse("with=pandas==3.0.3").packages == ("pandas==3.0.3",)
    assert parse("rev=main,with=pandas>=3,<4,with=numpy==2.4").packages == ("pandas>=3,<4", "numpy==2.4")


@pytest.mark.parametrize("text", ["attrs==25.1.0", "zope.interface==7.0", "dask[array]==2026.3.0", "a_b-c===1.0+local"])
def test_a_package_with_its_version_is_a_release(text: str) -> None:
    assert parse(text) == Spec(text, release=text)
    assert parse(f"release={text},python=3.12") == Spec(f"release={text},python=3.12", release=text, python="3.12")


@pytest.mark.parametrize(
    "text",
    ["branch=main", "rev=", "rev=a,rev=b", "rev=a,path=b", "rev=a,release=b==1", "release=attrs", "release=attrs>=1"],
)
def test_specs_that_are_none(text: str) -> None:
    with pytest.raises(UserError, match=r"not an arm|twice|leave one out|takes a package and its version"):
        parse(text)
