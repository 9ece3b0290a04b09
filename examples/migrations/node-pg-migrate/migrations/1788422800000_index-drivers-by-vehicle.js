export const up = (pgm) => {
  pgm.noTransaction();
  pgm.createIndex('drivers', 'vehicle_id', { name: 'drivers_by_vehicle', concurrently: true });
};

export const down = (pgm) => {
  pgm.noTransaction();
  pgm.dropIndex('drivers', 'vehicle_id', { name: 'drivers_by_vehicle', concurrently: true });
};
