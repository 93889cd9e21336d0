"""Examples of each kind of phrase, for editors and documentation."""

PHRASES = (
    "less than 5 times in 7 days",
    "at most twice in 30 days",
    "at least 3 times in 24 hours",
    "more than 10 times in 1 hour",
    "no activity for 2 weeks",
    "never within 14 days of company.signup_date",
    "fewer than 3 distinct users in 30 days",
    "at least 5 distinct data.feature in 30 days",
    "distinct users in 30 days below 50% of company.seats",
    "sum of data.amount below 1000 in 30 days",
    "average of data.minutes below 5 in 14 days",
    "highest of data.hours above 48 in 7 days",
    "lowest of data.rating at most 2 in 14 days",
    "down 40% in 30 days",
    "up 100% in 7 days",
    "company.nps below 7",
    "company.plan is Free",
    "company.plan is not Enterprise",
    "company.csm_name is missing",
    "company.csm_name is not missing",
    "company.renewal_date within 60 days",
    "flag Usage drop is At Risk or worse",
    "company.nps below 7 and company.renewal_date within 60 days",
    "down 40% in 30 days or no activity for 14 days",
    "not company.plan is Free",
)

NOTIFY_WHEN = (
    "status becomes Critical",
    "status becomes At Risk or worse",
    "status recovers",
    "status changes",
    "flag Usage drop is raised",
    "flag Usage drop becomes Critical",
    "flag Usage drop recovers",
)

TOGETHER = ("together within 10 minutes", "together within 1 hour")

QUIET = ("18:00-08:00 and weekends in Europe/Berlin", "22:00-06:00 in America/New_York")

DIGESTS = (
    "Mondays at 08:00 in Europe/Berlin",
    "weekdays at 08:00 in America/New_York",
    "daily at 17:00 in UTC",
)
