"""Drawing a chest radiograph: scene, anatomy, lesions, scanner."""
