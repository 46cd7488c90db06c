"""The autoregressive head: what it samples before it is trained, and that it is a consistency function."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from cmaudio.training.networks.autoregressive_head import AutoregressiveHead
from cmaudio.training.networks.layers import NoiseLevelEmbedding

BANDS, K, WIDTH = 16, 4, 24


@pytest.fixture
def head() -> AutoregressiveHead:
    torch.manual_seed(0)
    return AutoregressiveHead(BANDS, K, WIDTH, 2, 20, NoiseLevelEmbedding(20), sigma_min=0.002, sigma_data=1.0)


def test_it_starts_as_noise_correlated_from_frame_to_frame_and_over_the_seam(head: AutoregressiveHead) -> None:
    sigma, noise = torch.full((2000,), 80.0), torch.randn(2000, K, BANDS)
    last = 0.6 * torch.randn(2000, BANDS)
    context = torch.cat([torch.randn(2000, WIDTH), last, torch.randn(2000, BANDS)], -1)
    with torch.no_grad():
        drawn = head(80 * noise, sigma, context, torch.randn(2000, K, 20))
    before = torch.cat([last[:, None], drawn[:, :-1]], 1)
    for t in range(K):
        memory = (drawn[:, t] * before[:, t]).mean() / before[:, t].square().mean()
        assert float(memory) == pytest.approx(0.69, abs=0.03)
        assert float((drawn[:, t] - memory * before[:, t]).std()) == pytest.approx(0.48, abs=0.03)


def test_at_the_least_noise_it_is_the_identity(head: AutoregressiveHead) -> None:
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.normal_(0, 0.7 / parameter.shape[-1] ** 0.5)
    x, context, c = torch.randn(3, K, BANDS), torch.randn(3, WIDTH + 2 * BANDS), torch.randn(3, K, 20)
    with torch.no_grad():
        torch.testing.assert_close(head(x, torch.full((3,), 0.002), context, c), x, rtol=0, atol=0)
        assert (head(x, torch.full((3,), 0.1), context, c) - x).abs().max() > 0.01
