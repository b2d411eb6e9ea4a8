"""Masks in the forms that other tools read: PNG, COCO and labelme."""
