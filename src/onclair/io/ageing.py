"""How old a message is, told by our own clock alone: another clock may run apart from it, jump, or stop."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Ageing:
    """How late what arrives is, beside the quickest that came lately.

    The sender's times are never compared with ours: only how the difference between them moves. What waited in a cable, a buffer or a
    paused process arrives with a larger difference than what did not.

    Attributes
    ----------
    window_s : float
        How far "lately" reaches back; a sender's clock that was set back is believed again after it.

    Examples
    --------
    >>> ageing = Ageing()
    >>> ageing.late(arrived=100.0, told=5.0), ageing.late(arrived=101.0, told=6.0)
    (0.0, 0.0)
    >>> ageing.late(arrived=102.5, told=7.0)
    0.5
    """

    window_s: float = 30.0
    _lowest: deque[tuple[float, float]] = field(default_factory=deque, init=False)

    def late(self, arrived: float, told: float) -> float:
        """Return by how many seconds a message is late.

        Parameters
        ----------
        arrived : float
            On our clock, seconds; never less than before.
        told : float
            On the sender's clock, seconds.
        """
        behind = arrived - told
        while self._lowest and self._lowest[0][0] < arrived - self.window_s:
            self._lowest.popleft()
        while self._lowest and self._lowest[-1][1] >= behind:
            self._lowest.pop()
        self._lowest.append((arrived, behind))
        return behind - self._lowest[0][1]
