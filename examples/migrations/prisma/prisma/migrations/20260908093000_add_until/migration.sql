-- AlterTable
ALTER TABLE "Pickup" ADD COLUMN "until" TIMESTAMP(3);
UPDATE "Pickup" SET "until" = "from" + interval '2 hours';
ALTER TABLE "Pickup" ALTER COLUMN "until" SET NOT NULL;
