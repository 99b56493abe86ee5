# SPDX-License-Identifier: GPL-2.0
# Power over time against the limit: gnuplot -e "table='...'; picture='...'"
set terminal pngcairo size 900,500
set output picture
set datafile separator ','
set key top right
set xlabel 'time [s]'
set ylabel 'power [W]'
set yrange [0:*]
set grid
plot table using 1:2 skip 1 with lines linewidth 2 title 'power of the VM', \
     table using 1:3 skip 1 with steps linewidth 2 dashtype 2 title 'limit'
