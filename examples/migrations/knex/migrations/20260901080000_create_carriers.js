export async function up(knex) {
  await knex.schema.createTable('carriers', (table) => {
    table.increments('id');
    table.text('name').notNullable().unique();
    table.text('country').notNullable();
  });
}

export async function down(knex) {
  await knex.schema.dropTable('carriers');
}
