export class AddTariffToDeclarations1788422800000 {
  async up(queryRunner) {
    await queryRunner.query('ALTER TABLE declarations ADD COLUMN tariff_code text');
  }

  async down(queryRunner) {
    await queryRunner.query('ALTER TABLE declarations DROP COLUMN tariff_code');
  }
}
