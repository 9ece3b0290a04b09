export class CreateTariffs1788336400000 {
  async up(queryRunner) {
    await queryRunner.query('CREATE TABLE tariffs (code text PRIMARY KEY, percent numeric(5, 2) NOT NULL)');
  }

  async down(queryRunner) {
    await queryRunner.query('DROP TABLE tariffs');
  }
}
