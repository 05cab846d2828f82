"""``script/bench all`` passes on the bars of the benches, and fails if one is missed or missing."""

import subprocess
import sys

import pytest

from bench import run_all, stage


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the parts with benches whose programs a test writes."""

    real = subprocess.Popen

    def run(capsys, **programs):
        def start(words, **options):
            name = words[3].removeprefix("bench.")
            assert words[4:] == ["--quick"]
            return real([sys.executable, "-c", programs[name]], **options)

        monkeypatch.setattr(run_all, "PARTS", tuple(programs))
        monkeypatch.setattr(subprocess, "Popen", start)
        monkeypatch.setattr(sys, "argv", ["run_all", "--quick"])
        monkeypatch.setattr(run_all.stage, "RESULTS", tmp_path)
        monkeypatch.setattr(
            run_all.importlib.util, "find_spec", lambda name: programs[name.split(".")[1]]
        )
        code = 0
        try:
            run_all.main()
        except SystemExit as ended:
            code = ended.code
        return code, capsys.readouterr().out

    return run


GOOD = "print('said'); print('BAR a 1 <=2 ok')"


def test_the_bars_of_all_parts_stand_together_at_the_end(run, capsys):
    code, printed = run(capsys, first=GOOD, second="print('BAR b 3 >=2 ok')")

    assert code == 0
    assert printed.partition("== all bars\n")[2].startswith(
        "BAR a 1 <=2 ok\nBAR b 3 >=2 ok\n2 bars, 0 missed"
    )


def test_a_quick_run_keeps_its_bars_with_the_commit_in_place_of_the_last_ones(
    run, capsys, tmp_path
):
    run(capsys, first="print('BAR a 2 <=2 ok')")
    run(capsys, first=GOOD)

    head, *bars = (tmp_path / "all_quick.txt").read_text().splitlines()
    assert stage.COMMIT in head
    assert bars == ["BAR a 1 <=2 ok"]


def test_the_kept_line_of_a_bar_replaces_that_of_the_run_before(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(stage, "RESULTS", tmp_path)
    for figure in (45, 9):
        stage.print_bar("ratio", figure, 8, at_least=True, keep_in="bars")
    stage.print_bar("other", 1, 8, at_least=False, keep_in="bars")

    kept = (tmp_path / "bars.txt").read_text().splitlines()
    assert [line.partition(" (")[0] for line in kept] == ["BAR other 1 8 ok", "BAR ratio 9 8 ok"]


def test_a_part_that_does_not_exist_is_left_out_with_a_sentence(run, capsys):
    code, printed = run(capsys, first=GOOD, missing=None)

    assert code == 0
    assert "There is no bench/missing.py, so missing is left out." in printed
    assert "1 bars, 0 missed" in printed


def test_a_missed_bar_fails_and_the_other_parts_still_run(run, capsys):
    missed = "import sys; print('BAR b 3 <=2 missed'); sys.exit('A bar was missed.')"
    code, printed = run(capsys, first=missed, second=GOOD)

    assert code == 1
    assert "2 bars, 1 missed" in printed
    assert "The bench of first failed" not in printed


def test_a_part_that_fails_or_prints_no_bar_is_named(run, capsys):
    code, printed = run(capsys, broken="print('BAR b 1 <=2 ok'); 1 / 0", silent="print('nothing')")

    assert code == 1
    assert "The bench of broken failed; see above." in printed
    assert "The bench of silent printed no bar." in printed
