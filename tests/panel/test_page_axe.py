"""axe-core finds nothing wrong with the page, on screens of five sizes and with everything unfolded."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.axe import violations
from fixtures.browser import actions, element, wait_for
from fixtures.screens import SCREENS, screen


def check(page: Any, within: str = "html", but: tuple[str, ...] = ()) -> None:
    found = [each for each in violations(page, within) if each.partition(" ")[0] not in but]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_the_page_has_no_violations(width: int, height: int, page: Any) -> None:
    screen(page, width, height)
    check(page)


def test_what_is_unfolded_and_asked_for_has_none(page: Any) -> None:
    screen(page, 1280, 800)
    page.execute_script("document.querySelectorAll('details.group').forEach((group) => (group.open = true))")
    element(page, ".work .q-tab:nth-of-type(2)").click()
    actions(page).move_to_element(element(page, "h1")).perform()  # away from everything that would say what it is
    check(page)


def test_a_question_has_none(page: Any) -> None:
    page.execute_script("arguments[0].click()", element(page, 'button[aria-label="save as a preset"]'))
    wait_for(lambda: page.find_elements("css selector", ".ask"))
    wait_for(lambda: not page.find_elements("css selector", "[class*=enter-active]"))
    check(page, ".q-dialog", but=("color-contrast",))  # axe takes the page's colour for what lies behind its buttons
