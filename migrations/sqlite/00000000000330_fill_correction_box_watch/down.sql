DELETE FROM correction_box WHERE side = 'watch';
