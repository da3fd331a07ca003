"""`python -m tests.collectors.sparkplug.generated`: make the module of payload.proto anew."""

import subprocess
import sys
import tempfile
from pathlib import Path

import collectors

ROOT = Path(collectors.__file__).parent.parent
SOURCE = "collectors/sparkplug/payload.proto"
MADE = ("payload_pb2.py", "payload_pb2.pyi")

# The compiler's own style and its bare Mapping are left alone.
_HEADER = '# ruff: noqa\n# fmt: off\n# mypy: disable-error-code="type-arg"\n'
_COMPILE_S = 60.0


def generate(folder: Path) -> dict[str, str]:
    """Compile the definition into a folder and return the text of each file made."""
    subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"--proto_path={ROOT}",
            f"--python_out={folder}",
            f"--pyi_out={folder}",
            SOURCE,
        ],
        check=True,
        timeout=_COMPILE_S,
    )
    made = (folder / SOURCE).parent
    return {name: _HEADER + (made / name).read_text(encoding="utf-8") for name in MADE}


def main() -> None:
    """Write the files beside their definition."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in generate(Path(folder)).items():
            (ROOT / SOURCE).with_name(name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
