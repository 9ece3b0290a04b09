"""index surcharges by zone"""

from alembic import op

revision = "1b4402ee97f0"
down_revision = "3e9d7750c1aa"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index("surcharges_by_zone", "surcharges", ["zone_id"], postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("surcharges_by_zone", postgresql_concurrently=True)
