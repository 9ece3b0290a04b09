// Rates are read all day: an index made concurrently keeps nobody waiting, and needs to be outside of a transaction.
export const config = { transaction: false };

export async function up(knex) {
  await knex.raw('CREATE INDEX CONCURRENTLY rates_by_route ON rates (route, max_grams)');
}

export async function down(knex) {
  await knex.raw('DROP INDEX CONCURRENTLY rates_by_route');
}
