"""`python -m thresher` is the command line."""

import sys

from thresher.cli import main

sys.exit(main())
