"""A slow model of the work flow in plain Python, written from its description and not from the table."""

from dataclasses import dataclass, field, replace


@dataclass
class Repair:
    """One ticket as the model sees it."""

    dealer: str
    amount: float
    part: str | None
    returned: bool
    fair: bool
    state: str = "opened"
    level: int = 0
    seat: str | None = None
    approvers: set[str] = field(default_factory=set)
    signed: bool = False
    back: bool = False
    held: bool = False
    released: bool = False
    payment: str | None = None


class Model:
    """All tickets, with stock and parts under way."""

    def __init__(self, bounds: list[float], stock: dict[tuple[str, str], int]) -> None:
        self.bounds = bounds
        self.stock = dict(stock)
        self.repairs: dict[str, Repair] = {}
        self.lost = 0
        self.used = 0

    def allows(self, name: str, event: str, role: str, seat: str | None, payment: str | None) -> bool:
        """Whether an event may happen; if it may, it does."""
        repair = self.repairs[name]
        happens = getattr(self, f"_{event}")
        return bool(happens(repair, role, seat, payment))

    def would_allow(self, name: str, event: str, role: str, seat: str | None, payment: str | None) -> bool:
        """Whether an event might happen; it does not."""
        repair, kept = self.repairs[name], (self.stock, self.lost, self.used)
        self.repairs[name] = replace(repair, approvers=set(repair.approvers))
        self.stock = dict(self.stock)
        allowed = self.allows(name, event, role, seat, payment)
        self.repairs[name], (self.stock, self.lost, self.used) = repair, kept
        return allowed

    def _submit(self, repair: Repair, role: str, _seat: str | None, _payment: str | None) -> bool:
        if repair.state not in ("opened", "sent_back") or role not in ("dealer", "system"):
            return False
        if repair.state == "sent_back" and role != "dealer":
            return False
        repair.state, repair.level, repair.seat, repair.approvers = "in_review", 1, None, set()
        return True

    def _withdraw(self, repair: Repair, role: str, _seat: str | None, _payment: str | None) -> bool:
        if repair.state not in ("opened", "sent_back", "in_review") or role != "dealer":
            return False
        repair.state, repair.seat = "withdrawn", None
        return True

    def _reviewed(self, repair: Repair, role: str, seat: str | None) -> bool:
        return repair.state == "in_review" and role == "agent" and seat is not None and seat == repair.seat

    def _approve(self, repair: Repair, role: str, seat: str | None, _payment: str | None) -> bool:
        if not self._reviewed(repair, role, seat) or seat in repair.approvers:
            return False
        assert seat is not None
        repair.approvers.add(seat)
        repair.seat = None
        if repair.level < 1 + len([bound for bound in self.bounds if repair.amount >= bound]):
            repair.level += 1
        else:
            repair.state = "approved"
        return True

    def _reject(self, repair: Repair, role: str, seat: str | None, _payment: str | None) -> bool:
        if not self._reviewed(repair, role, seat):
            return False
        repair.state, repair.seat = "rejected", None
        return True

    def _send_back(self, repair: Repair, role: str, seat: str | None, _payment: str | None) -> bool:
        if not self._reviewed(repair, role, seat):
            return False
        repair.state, repair.seat = "sent_back", None
        return True

    def _use_stock(self, repair: Repair, role: str, _seat: str | None, _payment: str | None) -> bool:
        key = (repair.dealer, repair.part or "")
        if repair.state != "approved" or role not in ("dealer", "store") or not repair.part or not self.stock.get(key):
            return False
        self.stock[key] -= 1
        self.used += 1
        repair.state = "parts_ready"
        return True

    def _ship(self, repair: Repair, role: str, _seat: str | None, _payment: str | None) -> bool:
        key = ("east", repair.part or "")
        if repair.state != "approved" or role != "store" or not repair.part or not self.stock.get(key):
            return False
        self.stock[key] -= 1
        repair.state = "parts_shipped"
        return True

    def _receive(self, repair: Repair, role: str, _seat: str | None, _payment: str | None) -> bool:
        if repair.state != "parts_shipped" or role != "dealer":
            return False
        self.used += 1
        repair.state = "parts_ready"
        return True

    def _lose(self, repair: Repair, role: str, _seat: str | None, _payment: str | None) -> bool:
        if repair.state not in ("parts_shipped", "returning") or role != "store":
            return False
        self.lost += repair.state == "parts_shipped"
        repair.state = "approved" if repair.state == "parts_shipped" else "signed"
        return True

    def _serve(self, repair: Repair, role: str, _seat: str | None, _payment: str | None) -> bool:
        if role != "dealer" or repair.state != ("parts_ready" if repair.part else "approved"):
            return False
        repair.state = "served"
        return True

    def _sign(self, repair: Repair, role: str, _seat: str | None, _payment: str | None) -> bool:
        if role != "dealer" or repair.state != "served":
            return False
        repair.state, repair.signed = "signed", True
        return True

    def _refuse(self, repair: Repair, role: str, _seat: str | None, _payment: str | None) -> bool:
        if role != "dealer" or repair.state != "served":
            return False
        repair.state = "parts_ready" if repair.part else "approved"
        return True

    def _return_part(self, repair: Repair, role: str, _seat: str | None, _payment: str | None) -> bool:
        if role != "dealer" or repair.state != "signed" or not (repair.part and repair.returned):
            return False
        repair.state = "returning"
        return True

    def _receive_return(self, repair: Repair, role: str, _seat: str | None, _payment: str | None) -> bool:
        if role != "store" or repair.state != "returning":
            return False
        repair.state, repair.back = "part_returned", True
        return True

    def _hold(self, repair: Repair, role: str, _seat: str | None, _payment: str | None) -> bool:
        if role not in ("clerk", "system") or repair.state not in ("signed", "part_returned") or repair.held:
            return False
        repair.held = True
        return True

    def _release(self, repair: Repair, role: str, _seat: str | None, _payment: str | None) -> bool:
        if role != "clerk" or repair.state not in ("signed", "part_returned") or not repair.held:
            return False
        repair.held, repair.released = False, True
        return True

    def _settle(self, repair: Repair, role: str, _seat: str | None, _payment: str | None) -> bool:
        must_return = bool(repair.part) and repair.returned
        ready = repair.state == "part_returned" or (repair.state == "signed" and not must_return)
        if role != "clerk" or not ready or repair.held:
            return False
        if not repair.fair and not repair.released:
            repair.held = True  # for a person to look at
            return False
        repair.state = "settled"
        return True

    def _batch(self, repair: Repair, role: str, _seat: str | None, payment: str | None) -> bool:
        if role != "clerk" or repair.state != "settled" or repair.payment:
            return False
        repair.payment = payment
        return True

    def _pay(self, repair: Repair, role: str, _seat: str | None, payment: str | None) -> bool:
        if role != "clerk" or repair.state != "settled" or not payment or repair.payment != payment:
            return False
        repair.state = "paid"
        return True

    def _confirm(self, repair: Repair, role: str, _seat: str | None, _payment: str | None) -> bool:
        if role != "dealer" or repair.state != "paid":
            return False
        repair.state = "confirmed"
        return True
