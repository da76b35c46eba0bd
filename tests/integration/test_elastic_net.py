"""The batched elastic net gives scikit-learn's and glmnet's weights, each outcome with its own strength and mixing."""

from __future__ import annotations

import numpy as np
import pytest

from integration.elastic_net import elastic_net, ridge, top_strength


def data(n, p, outcomes, seed=4):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)) @ rng.normal(0, 0.6, (3, p)) + rng.normal(size=(n, p))
    y = x[:, :3] @ rng.normal(size=(3, outcomes)) + rng.normal(0, 2, (n, outcomes))
    return x - x.mean(axis=0), y - y.mean(axis=0)


@pytest.mark.parametrize(("n", "p"), [(36, 10), (40, 70), (20, 60)])
def test_weights_are_those_of_scikit_learn(n, p):
    """In both forms of the inner products: few markers, and more than two per mouse."""
    from sklearn.linear_model import ElasticNet

    x, y = data(n, p, 6)
    mixing = np.array([0.1, 0.3, 0.5, 0.5, 0.8, 1.0])
    strength = np.array([0.3, 0.1, 0.6, 0.15, 0.3, 0.2]) * np.array(
        [top_strength(x, y[:, [k]], mixing[k])[0] for k in range(6)]
    )
    found = elastic_net(x, y, strength, mixing, tolerance=1e-10, max_steps=100_000)
    for k in range(6):
        model = ElasticNet(alpha=strength[k], l1_ratio=mixing[k], fit_intercept=False, tol=1e-14, max_iter=1_000_000)
        np.testing.assert_allclose(found[:, k], model.fit(x, y[:, k]).coef_, atol=1e-7)
    assert ((found != 0).sum(axis=0) < p).all()


def test_at_the_top_strength_no_marker_has_weight_and_just_below_one_has():
    x, y = data(30, 12, 1)
    top = top_strength(x, y, 0.5)
    assert not elastic_net(x, y, top * 1.0001, np.array([0.5])).any()
    assert (elastic_net(x, y, top * 0.999, np.array([0.5])) != 0).sum() == 1


def test_mixing_zero_is_ridge():
    x, y = data(30, 12, 2)
    penalty = 0.7
    found = elastic_net(x, y, np.full(2, penalty * 12 / 30), np.zeros(2), tolerance=1e-12)
    np.testing.assert_allclose(found, ridge(x, y, penalty), atol=1e-9)


def test_an_outcome_does_not_depend_on_those_beside_it_nor_on_the_start():
    x, y = data(40, 30, 5)
    strength, mixing = 0.2 * top_strength(x, y, 0.5), np.full(5, 0.5)
    together = elastic_net(x, y, strength, mixing)
    alone = elastic_net(x, y[:, [3]], strength[[3]], mixing[[3]], start=np.ones((30, 1)))
    np.testing.assert_allclose(together[:, [3]], alone, atol=1e-6)


def test_weights_are_those_of_glmnet():
    """R 4.2.2, glmnet 4.1-6: glmnet(x, y, alpha=, lambda=, standardize=FALSE, intercept=FALSE, thresh=1e-22)$beta.

    glmnet works on the outcome in SD (divisor n) and gives strength and weights back in the outcome's unit.
    """
    k = np.arange(1, 13, dtype=np.float64)
    x = np.column_stack([np.sin(k * j) + 0.1 * j * np.cos(k) for j in range(1, 6)])
    y = 2 * x[:, 0] - x[:, 3] + np.cos(3 * k)
    x, y = x - x.mean(axis=0), (y - y.mean())[:, None]
    expected = {
        (0.5, 0.2): [1.573624602, 0, -0.289446330, -0.581508243, 0],
        (1.0, 0.1): [1.757088632, 0, -0.323934218, -0.655953401, 0],
        (0.2, 0.5): [1.198353133, 0, -0.219422327, -0.433582634, 0],
    }
    for (mixing, strength), weights in expected.items():
        sd = float(y.std())
        found = sd * elastic_net(x, y / sd, np.array([strength / sd]), np.array([mixing]), tolerance=1e-12)
        np.testing.assert_allclose(found[:, 0], weights, atol=1e-8)
