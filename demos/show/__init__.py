"""show: the parts of the demo, one file each. They measure with bench/kit and print; nothing else depends on them."""
