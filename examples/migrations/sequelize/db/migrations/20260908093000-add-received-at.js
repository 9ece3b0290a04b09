module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.addColumn('returns', 'received_at', { type: Sequelize.DATE });
  },

  async down(queryInterface) {
    await queryInterface.removeColumn('returns', 'received_at');
  },
};
