"""The index of names leaves out only those who are certainly called otherwise."""

from hypothesis import given
from hypothesis import strategies as st

from directory.affiliations import FoldedName, PartyFacts, compare_names, find_name_conflict
from reviewers.matching.panel_names import PanelNameIndex

# Few letters and short words, so that names are often alike.
words = st.text("abo", min_size=0, max_size=7)
names = st.builds(
    FoldedName,
    words,
    st.lists(words.filter(bool), max_size=2).map(" ".join),
)


@given(names, st.lists(names, max_size=6))
def test_every_name_that_is_not_certainly_different_is_found(party_name, panel):
    party = PartyFacts(1, "EMPLOYEE", "Employee", "", person_names=(party_name,))

    near = PanelNameIndex(enumerate(panel)).near([party])

    alike = {n for n, name in enumerate(panel) if compare_names(name, party_name) != "DIFFERENT"}
    assert alike <= near


@given(st.sets(words, max_size=4), st.lists(names, max_size=6), names)
def test_every_reviewer_with_an_affiliation_by_name_is_found(organization_words, panel, officer):
    party = PartyFacts(
        1,
        "EMPLOYER",
        "Employer",
        "",
        organization_words=frozenset(organization_words),
        officer_names=(officer,),
    )

    near = PanelNameIndex(enumerate(panel)).near([party])

    tied = {
        n for n, name in enumerate(panel) if find_name_conflict(name, party, who="The reviewer")
    }
    assert tied <= near


def test_most_names_are_left_out():
    panel = [FoldedName("ana", "quintana"), FoldedName("ben", "reyes"), FoldedName("cal", "ortiz")]
    party = PartyFacts(
        1, "EMPLOYEE", "Employee", "", person_names=(FoldedName("ana", "quintanar"),)
    )

    assert PanelNameIndex(enumerate(panel)).near([party]) == {0}
