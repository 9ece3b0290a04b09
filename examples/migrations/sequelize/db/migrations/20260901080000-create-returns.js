module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable('returns', {
      id: { type: Sequelize.BIGINT, primaryKey: true, autoIncrement: true },
      parcel: { type: Sequelize.TEXT, allowNull: false },
      reason: { type: Sequelize.TEXT },
    });
  },

  async down(queryInterface) {
    await queryInterface.dropTable('returns');
  },
};
