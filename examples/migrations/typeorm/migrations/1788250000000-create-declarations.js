export class CreateDeclarations1788250000000 {
  async up(queryRunner) {
    await queryRunner.query(`
      CREATE TABLE declarations (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        shipment text NOT NULL,
        value_cents bigint NOT NULL
      )`);
  }

  async down(queryRunner) {
    await queryRunner.query('DROP TABLE declarations');
  }
}
