"""Install the hospital's own policy in its site's startup kit; no job can change or skip it.

From the next start of the site on, everything that the site sends passes the policy: only tensors that the model has,
metrics of at least --min-studies studies, learned tensors clipped to a norm, with Gaussian noise if you ask for it.
Any fault of the policy stops the answer. What left is in a ledger: python -m admin ledger. See docs/policy.md.

The same command with other numbers changes the policy. Restart the site afterwards.

  python -m admin policy --kit site-1 --min-studies 5 --clip 1.0
  python -m admin policy --kit site-1 --clip 1.0 --noise 0.8 --epsilon 8
  python -m admin policy --kit site-1 --remove
"""

from __future__ import annotations

import argparse

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import existing_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``policy``."""
    parser.add_argument("--kit", type=existing_folder, required=True, help="startup kit of the site")
    parser.add_argument("--min-studies", type=int, default=5, help="fewer studies are not reported (default: 5)")
    parser.add_argument("--clip", type=float, help="largest norm of an update's learned tensors (default: no limit)")
    parser.add_argument(
        "--statistics", choices=("send", "withhold"), help="running statistics (default: send, with noise: withhold)"
    )
    parser.add_argument(
        "--statistics-clip", type=float, help="largest norm of the running statistics (default: no limit)"
    )
    parser.add_argument(
        "--noise", type=float, default=0.0, help="standard deviation of the noise, in units of --clip (default: 0)"
    )
    parser.add_argument("--epsilon", type=float, help="privacy budget of all updates together; needed with --noise")
    parser.add_argument("--delta", type=float, default=1e-5, help="of the privacy budget (default: 1e-5)")
    parser.add_argument("--remove", action="store_true", help="remove the policy; the ledger stays")


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Install, change or remove the policy, and print its rules."""
    answer.after_interrupt = "run the command again; until then the site does not start"
    from admin.site.policy.installed_policy import affordable_updates, install, remove
    from fedaid.errors import InputError
    from hospital_policy.rules import PolicyFault, Rules

    if options.remove:
        remove(options.kit)
        answer.add("policy removed; the ledger stays. Restart the site.", removed=True)
        return
    statistics = options.statistics or ("withhold" if options.noise else "send")
    names = ("min_studies", "clip", "statistics_clip", "noise", "epsilon", "delta")
    try:
        rules = Rules(statistics=statistics, **{name: getattr(options, name) for name in names})
    except PolicyFault as fault:
        raise RuntimeError(str(fault)) from None
    try:
        install(options.kit, rules)
    except PolicyFault as fault:
        raise InputError(
            "policy", "be complete", got=str(fault), where="the kit", remedy="Run the command again."
        ) from None
    answer.add(described(rules), rules=rules.as_dict(), updates=affordable_updates(rules))
    if rules.noise:
        answer.add(
            f"budget: {affordable_updates(rules)} updates of an unused kit; FedAID sends two a round, FedAvg one"
        )
    answer.add("Restart the site. Then read what left with: python -m admin ledger KIT")


def described(rules: object) -> str:
    """Return the rules, one a line."""
    return "\n".join(f"{name}: {value}" for name, value in vars(rules).items())
