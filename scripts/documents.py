#!/usr/bin/env python3
"""Holds the documents against the code: hostile cases have tests, those that must hold also through the wire of the example
servers; choices have reasons; named tests exist; direct dependencies have rows; excerpts stand where they say; the
differences of the FastAPI twin are counted right."""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def functions():
    rust = [path for top in ("crates", "examples") for path in (ROOT / top).rglob("*.rs")]
    return {name for path in rust for name in re.findall(r"fn (\w+)\(", path.read_text())}


def cases():
    """The cases, and what is said of those that no wire carries."""
    text, _, exceptions = (ROOT / "docs/security/cases.md").read_text().partition("\n## Through the wire\n")
    return text, exceptions


def cases_without_a_test():
    ids = re.findall(r"^\| ([A-Z]-\d+) \|", cases()[0], re.MULTILINE)
    assert ids, "docs/security/cases.md lists no case"
    tests = [name for name in functions() if re.match(r"[a-z]\d+", name)]
    # One test may serve several cases: `c04_c05_c08_…`.
    covered = {part for name in tests for part in re.match(r"(?:[a-z]\d+_)+", name + "_").group().split("_") if part}
    return [case for case in ids if case.lower().replace("-", "") not in covered]


def faults_through_the_wire():
    text, exceptions = cases()
    musts = re.findall(r"^\| ([A-Z]-\d+) \|.*\| M \|$", text, re.MULTILINE)
    excepted = set(re.findall(r"^\| ([A-Z]-\d+) \|", exceptions, re.MULTILINE))
    assert musts and excepted, "docs/security/cases.md says nothing of the wire"
    suite = ROOT / "examples/conformance"
    # A check is named like `tokens.exp.l63-string`, a test like `k84_k85_while_…`; either may serve several cases.
    names = [name for path in suite.rglob("src/checks/*.rs") for name in re.findall(r'"([\w.{}-]+)"', path.read_text())]
    ids = {part for name in names for part in re.findall(r"(?<![\w])(?<!\w-)((?:[a-z]\d+-)+)", name)}
    ids |= {part for path in suite.rglob("tests/**/*.rs") for part in re.findall(r"fn ((?:[a-z]\d+_)+)", path.read_text())}
    sent = {f"{part[0].upper()}-{part[1:]}" for several in ids for part in re.findall(r"[a-z]\d+", several)}
    yield from (f"{case} is put through no wire, and nothing says why" for case in musts if case not in sent | excepted)
    yield from (f"{case} is said to be put through no wire, and it is" for case in sorted(excepted & sent))


def choices_without_a_reason():
    chosen = re.findall(r"^\| ([A-Z]-\d+) \|.*\| P \|$", cases()[0], re.MULTILINE)
    assert chosen, "docs/security/cases.md lists no choice"
    text = (ROOT / "docs/security/policy-choices.md").read_text()
    rows = re.findall(r"^\| ([A-Z]-\d+(?:, [A-Z]-\d+)*) \|", text, re.MULTILINE)
    explained = {case for row in rows for case in row.split(", ")}
    return [case for case in dict.fromkeys(chosen) if case not in explained]


def tests_that_are_named_and_are_not_there():
    # Names of tests are sentences: four words at least, which nothing else in backticks has there.
    named = {
        (page.name, name)
        for page in (ROOT / "docs/security").glob("*.md")
        for name in re.findall(r"`([a-z]\w*(?:_\w+){3,})`", page.read_text())
    }
    there = functions()
    return sorted((page, name) for page, name in named if name not in there)


def dependencies_without_a_row():
    rows = (ROOT / "docs/DEPENDENCIES.md").read_text()
    packages = []
    for workspace in (ROOT, ROOT / "fuzz"):
        metadata = subprocess.run(
            ["cargo", "metadata", "--format-version", "1", "--no-deps"], cwd=workspace, check=True, capture_output=True
        )
        packages += json.loads(metadata.stdout)["packages"]
    ours = {package["name"] for package in packages}
    named = {dependency["name"] for package in packages for dependency in package["dependencies"]} - ours
    return sorted(name for name in named if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", rows))


def stripped(text):
    return [line.strip() for line in text.strip().splitlines()]


def excerpts_that_stand_nowhere():
    """`<!-- from PATH -->` before a code block: its lines are there, in this order; a line of `…` leaves some out."""
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for path, block in re.findall(r"<!-- from (\S+) -->\n```\w*\n(.*?)```", page.read_text(), re.DOTALL):
            lines, at = stripped((ROOT / path).read_text()), 0
            for part in re.split(r"^\s*…\n", block, flags=re.MULTILINE):
                wanted = stripped(part)
                places = (i for i in range(at, len(lines)) if lines[i : i + len(wanted)] == wanted)
                at = next(places, None)
                if at is None:
                    yield f"docs/{page.relative_to(ROOT / 'docs')}: this is not in {path}: {wanted[0]}"
                    break
                at += len(wanted)


def differences_that_are_counted_wrong():
    guide = (ROOT / "docs/guides/from-fastapi.md").read_text()
    groups = re.split(r"^# ", (ROOT / "examples/fastapi-twin/differences.txt").read_text(), flags=re.MULTILINE)
    for group in groups[3:]:  # the first two lines say what the list is, and what it adds up to
        name, *lines = group.split("\n")
        checks = [line for line in lines if line]
        row = f"| {name} | {len(checks)} |"
        if row not in guide:
            yield f"docs/guides/from-fastapi.md: no row begins {row}"
        for line in checks:
            if not re.fullmatch(r"[a-z][\w./-]*: \S.*", line):
                yield f"examples/fastapi-twin/differences.txt: what differs is not said: {line}"


def main():
    faults = [f"docs/security/cases.md: {case} has no test that names it" for case in cases_without_a_test()]
    faults += [f"docs/security/cases.md: {fault}" for fault in dict.fromkeys(faults_through_the_wire())]
    faults += [f"docs/security/policy-choices.md: {case} has no reason" for case in choices_without_a_reason()]
    faults += [f"docs/security/{page}: there is no test {name}" for page, name in tests_that_are_named_and_are_not_there()]
    faults += [f"docs/DEPENDENCIES.md: {name} has no row" for name in dependencies_without_a_row()]
    faults += excerpts_that_stand_nowhere()
    faults += differences_that_are_counted_wrong()
    fine = "cases have tests, choices reasons, dependencies rows; tests that are named exist, excerpts stand"
    print("\n".join(faults) or fine)
    sys.exit(bool(faults))


main()
