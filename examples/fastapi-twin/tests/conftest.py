"""Settings for the tests, before the application is imported."""

import os

os.environ |= {
    "BETTER_AUTH_SECRET": "a-secret-of-the-tests-with-32-bytes-or-more",
    "RATE_LIMIT_MAX_REQUESTS": "8",
}
