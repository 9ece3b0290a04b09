export async function up(knex) {
  await knex.schema.createTable('rates', (table) => {
    table.bigIncrements('id');
    table.integer('carrier_id').notNullable().references('carriers.id');
    table.text('route').notNullable();
    table.integer('max_grams').notNullable();
    table.integer('cents').notNullable();
  });
}

export async function down(knex) {
  await knex.schema.dropTable('rates');
}
