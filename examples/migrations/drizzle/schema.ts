import { bigint, integer, pgTable, text } from 'drizzle-orm/pg-core';

export const depots = pgTable('depots', {
  id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  city: text().notNull(),
});

export const pallets = pgTable('pallets', {
  id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  depotId: bigint('depot_id', { mode: 'number' })
    .notNull()
    .references(() => depots.id),
  kilograms: integer(),
});
