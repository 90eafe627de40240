"""The ground floor: errors, files, devices, weights in and out, photographs, training, records, plotting."""
