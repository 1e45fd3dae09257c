"""What every report has around it: one file with its style inside, a head, and links within."""

from __future__ import annotations

from html import escape
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["page_head", "whole_page"]


def whole_page(title: str, parts: Iterable[str]) -> str:
    """Return a page that needs no other file.

    Parameters
    ----------
    title : str
    parts : iterable of str
        HTML of its body, one after the other.

    Returns
    -------
    str
    """
    style = (resources.files("forefold.workflows.report") / "templates" / "report.css").read_text(
        encoding="utf-8"
    )
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def page_head(title: str, lead: str, links: Iterable[tuple[str, str]]) -> str:
    """Return the heading, a sentence, and links to sections.

    Parameters
    ----------
    title, lead : str
    links : iterable of (str, str)
        Ids of sections, and their names.

    Returns
    -------
    str
    """
    items = "".join(f'<li><a href="#{escape(to)}">{escape(text)}</a></li>' for to, text in links)
    return (
        f'<header><h1>{escape(title)}</h1>\n<p class="lead">{escape(lead)}</p>\n'
        f"<nav><ul>{items}</ul></nav></header>"
    )
