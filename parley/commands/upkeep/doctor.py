"""`parley doctor`."""

from parley.installation.installation import open_installation
from parley.installation.logging import configure_logging
from parley.installation.settings_loading import load_settings
from store.database.server.examination import examine


def run_doctor() -> int:
    """Say a sentence about each thing that Parley needs of its database; 1 if something is wrong."""
    settings = load_settings()
    configure_logging(settings.log_level, process="doctor")
    installation = open_installation(settings, schema="leave")
    urls = {
        "PARLEY_DATABASE_URL": installation.database_url,
        "PARLEY_DATABASE_DIRECT_URL": settings.database_direct_url,
    }
    wrong = False
    for name, url in urls.items():
        if url is None:
            continue
        print(f"{name}:" if settings.database_url is not None else "The embedded database:")
        for finding in examine(url.get_secret_value()):
            print(f"  {'ok   ' if finding.good else 'WRONG'}  {finding.text}")
            wrong = wrong or not finding.good
    return int(wrong)
