from django.db import models


class Order(models.Model):
    customer = models.TextField()
    shelf = models.ForeignKey("warehouse.Shelf", on_delete=models.PROTECT)

    class Meta:
        indexes = [models.Index(fields=["customer"], name="orders_by_customer")]
