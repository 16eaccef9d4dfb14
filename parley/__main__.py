"""`python -m parley` is `parley`: how our processes start their children, whatever is on PATH."""

import sys

from parley.cli import main

sys.exit(main())
