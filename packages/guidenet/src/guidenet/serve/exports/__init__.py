"""Masks as the page gets them, and in the forms that other tools read: PNG, COCO and labelme."""
