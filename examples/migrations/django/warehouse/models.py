from django.db import models


class Shelf(models.Model):
    label = models.TextField(unique=True)
