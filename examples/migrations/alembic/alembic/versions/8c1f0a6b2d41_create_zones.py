"""create zones"""

import sqlalchemy as sa
from alembic import op

revision = "8c1f0a6b2d41"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "zones",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("postcode", sa.Text, nullable=False, unique=True),
    )


def downgrade() -> None:
    op.drop_table("zones")
