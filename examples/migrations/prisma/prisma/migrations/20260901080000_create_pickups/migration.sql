-- CreateTable
CREATE TABLE "Pickup" (
    "id" BIGSERIAL NOT NULL,
    "street" TEXT NOT NULL,
    "from" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "Pickup_pkey" PRIMARY KEY ("id")
);
