"""What holds for every submission, and for every archive that somebody bent."""

from __future__ import annotations

import contextlib
import io
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import SubmissionRejected
from grader.intake.limits import MIB, IntakeLimits
from grader.intake.paths import left_out
from grader.intake.receive import receive
from grader.model.submission import Submission, digest_files
from tests.archives import HONEST, Tree, tarred, write_folder, zipped

LIMITS = IntakeLimits(unpacked=4 * MIB)
NAMES = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,11}[A-Za-z0-9_-]", fullmatch=True).filter(
    lambda name: not left_out((name,))
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


def _no_conflicts(paths: list[str]) -> bool:
    folded = [path.casefold() for path in paths]
    above: dict[str, str] = {}
    for path in paths:
        parts = path.split("/")
        for level in range(1, len(parts)):
            folder = "/".join(parts[:level])
            if above.setdefault(folder.casefold(), folder) != folder:
                return False
    return len(set(folded)) == len(folded) and not set(folded) & set(above)


TREES = st.dictionaries(PATHS, st.binary(max_size=300), min_size=1, max_size=8).filter(
    lambda tree: _no_conflicts(list(tree))
)
ARCHIVES: list[Callable[[Tree], bytes]] = [
    zipped,
    tarred,
    lambda tree: zipped(tree, method=zipfile.ZIP_STORED),
    lambda tree: tarred(tree, form=tarfile.GNU_FORMAT),
    lambda tree: tarred(tree, compression="gz"),
    lambda tree: tarred(tree, compression="bz2"),
    lambda tree: tarred(tree, compression="xz"),
]
SAMPLES = [pack(HONEST | {"data.csv": b"1,2,3\n" * 400}) for pack in ARCHIVES]


def received(source: bytes | Tree) -> Submission:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "handed-in"
        if isinstance(source, bytes):
            path.write_bytes(source)
        else:
            write_folder(path, source)
        return receive(path, LIMITS)


@settings(deadline=None, max_examples=60)
@given(TREES)
def test_a_tree_is_the_same_however_it_travels(tree: dict[str, bytes]) -> None:
    folder = received(tree)
    assert len(folder.files) == len(tree)
    assert sorted(file.content for file in folder.files) == sorted(tree.values())
    assert folder.digest == digest_files(folder.files)
    for pack in ARCHIVES:
        packed = received(pack(dict(sorted(tree.items(), key=lambda item: item[1]))))
        assert packed.files == folder.files
        assert packed.digest == folder.digest


@settings(deadline=None, max_examples=60)
@given(TREES)
def test_handing_in_again_what_was_received_changes_nothing(tree: dict[str, bytes]) -> None:
    once = received(tree)
    again = received({file.path: file.content for file in once.files})
    assert again.files == once.files
    assert (again.observations, again.steering) == ((), once.steering)


@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(SAMPLES), st.data())
def test_a_bent_archive_is_received_or_rejected_and_nothing_else(sample: bytes, data: st.DataObject) -> None:
    bent = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(bent) - 1))
        bent[at] = data.draw(st.integers(0, 255))
    _is_judged(bytes(bent))


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(SAMPLES), st.data())
def test_a_cut_or_spliced_archive_is_received_or_rejected(sample: bytes, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(sample)))
    second = data.draw(st.integers(0, len(sample)))
    _is_judged(sample[:first] + sample[second:])


@settings(deadline=None, max_examples=300)
@given(st.sampled_from([b"", b"PK\3\4", b"PK\5\6", b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\0"]), st.binary(max_size=600))
def test_noise_is_received_or_rejected(magic: bytes, noise: bytes) -> None:
    _is_judged(magic + noise)


def _is_judged(data: bytes) -> None:
    try:
        submission = received(data)
    except SubmissionRejected as error:
        rejection = error
    else:
        assert sum(len(file.content) for file in submission.files) <= LIMITS.unpacked
        return
    assert rejection.message.isprintable()
    assert rejection.hint.isprintable()


@pytest.mark.parametrize("sample", SAMPLES)
def test_no_archive_that_was_cut_short_is_received(sample: bytes) -> None:
    whole = received(sample).digest
    ends = [*range(0, len(sample), 97), *range(max(0, len(sample) - 40), len(sample))]
    for end in ends:
        try:
            assert received(sample[:end]).digest == whole  # only padding was cut
        except SubmissionRejected:
            continue


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(SAMPLES[:1] + SAMPLES[2:3]), st.data())
def test_what_is_received_from_a_bent_zip_is_what_another_reader_sees(sample: bytes, data: st.DataObject) -> None:
    bent = bytearray(sample)
    bent[data.draw(st.integers(0, len(bent) - 1))] = data.draw(st.integers(0, 255))
    try:
        submission = received(bytes(bent))
    except SubmissionRejected:
        return
    with contextlib.suppress(NotImplementedError), zipfile.ZipFile(io.BytesIO(bytes(bent))) as archive:
        # zipfile gives up on a member that says it needs a newer program; there is nothing to compare then
        assert {file.path: file.content for file in submission.files} == {
            name: archive.read(name) for name in archive.namelist()
        }
