import resource

import pytest


@pytest.fixture
def limit_of_file_size():
    """Limit how long files may become, as a full disk would, in bytes; -1 lifts the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda n_bytes: resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
