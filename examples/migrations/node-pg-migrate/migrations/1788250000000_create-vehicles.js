export const up = (pgm) => {
  pgm.createTable('vehicles', {
    id: 'id',
    plate: { type: 'text', notNull: true, unique: true },
    load_kilograms: { type: 'integer', notNull: true },
  });
};

export const down = (pgm) => {
  pgm.dropTable('vehicles');
};
