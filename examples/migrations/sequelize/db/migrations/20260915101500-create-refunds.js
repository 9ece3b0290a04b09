module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable('refunds', {
      return_id: { type: Sequelize.BIGINT, primaryKey: true, references: { model: 'returns', key: 'id' } },
      cents: { type: Sequelize.INTEGER, allowNull: false },
    });
  },

  async down(queryInterface) {
    await queryInterface.dropTable('refunds');
  },
};
