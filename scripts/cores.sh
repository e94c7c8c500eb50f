# Sourced. all_cores: how many cores this process may use. Where OMP_NUM_THREADS is set, plain `nproc` prints that.
all_cores() { env --unset=OMP_NUM_THREADS --unset=OMP_THREAD_LIMIT nproc; }
