"""Quality per second of tuning: `recsys.tune`, Optuna around implicit, and irspack's own tuner.

    python -m tests.benchmarks.tuner_race LOG [--split random-user:0.2] [--trials 20]

All see the same training part and are asked for the best ndcg@10 on the same validation part, with as many
trials. Each improvement of a tuner's best is noted with its time; qualities are measured by this library's
evaluator on lists over all unseen items, whichever library fitted the model. Needs optuna, implicit, irspack.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import time
from contextlib import redirect_stderr, redirect_stdout

import numpy as np

import recsys
import recsys.progress
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import parse_metrics
from recsys.models.baselines.popularity import Popularity

METRICS = parse_metrics("ndcg@10")


class Race:
    """The best value of a tuner against time."""

    def __init__(self):
        self.began = time.perf_counter()
        self.steps = []

    def note(self, value):
        """Note a measured value."""
        if not self.steps or value > self.steps[-1][1]:
            self.steps.append((time.perf_counter() - self.began, value))

    def seconds_to(self, value):
        """Return when the best reached a value; None if it never did."""
        return next((seconds for seconds, best in self.steps if best >= value), None)


class Scored:
    """Factors as what the evaluator asks for scores."""

    predicts_values = ranks_by_value = False

    def __init__(self, users, items, name):
        self.users, self.items, self.name, self.n_items_ = users, items, name, len(items)

    def score_block(self, users):
        return self.users[users] @ self.items.T


def quality(model, parts):
    """Return ndcg@10 on the validation part."""
    return evaluate(model, parts.seen, parts.held_out, METRICS).metrics["ndcg@10"]


def ours(name, parts, trials, seed):
    """`recsys.tune`: trials as they come, by the progress that it shows."""
    from recsys.experiment.settings import ModelSpec
    from recsys.experiment.tuning.measuring import Measuring
    from recsys.experiment.tuning.space import space_of
    from recsys.experiment.tuning.study import Study

    race, best = Race(), []

    class Listener(recsys.progress.Silent):
        def advance(self, steps=1, note=""):
            if note.startswith("best"):
                best.append(float(note.split()[2].rstrip(",")))
                race.note(best[-1])

    study = Study(Measuring(space_of(ModelSpec(name)), (parts,), METRICS[0], seed))
    done = study.run(trials, None, Listener())
    total = time.perf_counter() - race.began
    winner = study.best(done)
    return race, total, winner.value, dict(winner.params)


def optuna_implicit(parts, trials, seed):
    """Optuna's TPE around implicit's ALS, as one writes it: a fit a trial, iterations searched, too."""
    import optuna
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    matrix = parts.train.by_user.to_scipy().tocsr().astype(np.float32)
    matrix.data[:] = 1.0
    race = Race()

    def objective(trial):
        weight = trial.suggest_float("weight", 1.0, 100.0, log=True)
        solver = AlternatingLeastSquares(
            factors=trial.suggest_int("n_components", 16, 512, log=True),
            regularization=trial.suggest_float("l2", 0.01, 300.0, log=True),
            iterations=trial.suggest_int("max_iter", 5, 30),
            random_state=0,
        )
        with threadpool_limits(1, "blas"):
            solver.fit(matrix * np.float32(weight), show_progress=False)
        value = quality(Scored(solver.user_factors, solver.item_factors, "implicit"), parts)
        race.note(value)
        return value

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(objective, n_trials=trials)
    return race, time.perf_counter() - race.began, study.best_value, study.best_params


def irspack_ials(parts, trials, seed):
    """irspack's tuner of its iALS, which prunes by validation after each epoch."""
    from irspack import Evaluator, IALSRecommender
    from scipy import sparse

    matrix = parts.train.by_user.to_scipy().tocsr().astype(np.float64)
    matrix.data[:] = 1.0
    truth = parts.held_out.by_user
    held_out = sparse.csr_matrix((np.ones(truth.nnz), truth.columns, truth.indptr), shape=matrix.shape)
    race = Race()
    evaluator = Evaluator(held_out, offset=0, cutoff=10, target_metric="ndcg", masked_interactions=matrix)
    best = {"value": -1.0}
    original = evaluator.get_score

    def noted(model):
        scores = original(model)
        if scores["ndcg"] > best["value"]:
            # What irspack calls ndcg ranks the same lists; its value is noted by our evaluator.
            best["value"] = scores["ndcg"]
            learner = model.trainer.core_trainer
            race.note(quality(Scored(np.asarray(learner.user), np.asarray(learner.item), "irspack"), parts))
        return scores

    evaluator.get_score = noted
    quiet = logging.getLogger("quiet")
    quiet.setLevel(logging.CRITICAL)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        params, _ = IALSRecommender.tune(
            matrix, evaluator, n_trials=trials, tuning_random_seed=seed, logger=quiet
        )
    return race, time.perf_counter() - race.began, race.steps[-1][1], params


def main():
    """Run the race and print a table and one JSON object."""
    parser = argparse.ArgumentParser()
    parser.add_argument("log")
    parser.add_argument("--split", default="random-user:0.2")
    parser.add_argument("--where")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", type=float, default=0.995, help="of the best of Optuna around implicit")
    given = parser.parse_args()
    parts = recsys.split(recsys.load_log(given.log, where=given.where), given.split)
    floor = quality(Popularity().fit(parts.train), parts)
    runners = {
        "recsys tune, als": lambda: ours("als", parts, given.trials, given.seed),
        "Optuna around implicit": lambda: optuna_implicit(parts, given.trials, given.seed),
        "irspack's tuner": lambda: irspack_ials(parts, given.trials, given.seed),
        "recsys tune, hybrid-nmf": lambda: ours("hybrid-nmf", parts, given.trials, given.seed),
    }
    done = {}
    for name, runner in runners.items():
        done[name] = runner()
        print(f"{name}: {done[name][2]:.4f} in {done[name][1]:.1f} s", flush=True)
    target = given.share * done["Optuna around implicit"][2]
    print(f"\npopularity {floor:.4f}; to reach {target:.4f}:")
    for name, (race, total, value, _) in done.items():
        reached = race.seconds_to(target)
        when = "-" if reached is None else f"{reached:.1f} s"
        print(f"  {name:<26} {value:.4f}  whole {total:7.1f} s  reached {when}")
    record = {
        name: {"best": value, "seconds": total, "steps": race.steps, "params": params}
        for name, (race, total, value, params) in done.items()
    }
    print(json.dumps(record, default=str))


if __name__ == "__main__":
    main()
