-- CreateIndex
CREATE INDEX CONCURRENTLY "Pickup_from_idx" ON "Pickup"("from");
