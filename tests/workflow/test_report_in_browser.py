"""The page as a browser without a network shows it."""

import shutil
import subprocess

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_page_opens_and_asks_the_network_for_nothing(finished, tmp_path):
    page = finished.folder / "results" / "report.html"
    done = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}"),
            *(
                "--host-resolver-rules=MAP * ~NOTFOUND",
                "--enable-logging=stderr",
                "--dump-dom",
                page.as_uri(),
            ),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert all(text in done.stdout for text in ("CTCF", "MAX", "small", "<svg", "AUROC"))
    from_the_page = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert from_the_page == []
