"""create surcharges"""

import sqlalchemy as sa
from alembic import op

revision: str = "3e9d7750c1aa"
down_revision: str | None = "8c1f0a6b2d41"


def upgrade() -> None:
    op.create_table(
        "surcharges",
        sa.Column("zone_id", sa.BigInteger, sa.ForeignKey("zones.id"), nullable=False),
        sa.Column("cents", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("surcharges")
