"""Members' scores out of fold with their labels: what weights and gates are fitted and judged on."""

from quorate.evaluation.out_of_fold.member_predictions import MemberPredictions as MemberPredictions

__all__ = ["MemberPredictions"]
