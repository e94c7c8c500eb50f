#pragma once
#include <elf.h>
#include <mpi.h>

// Open MPI's constants are casts of addresses, which Swift does not import.
// Each becomes a getter that Swift spells as C does.
#define COSFACE_CONSTANT(type, name)                                   \
  static inline type cosface_##name(void)                              \
      __attribute__((swift_name("getter:" #name "()")));               \
  static inline type cosface_##name(void) { return name; }

COSFACE_CONSTANT(MPI_Comm, MPI_COMM_WORLD)
COSFACE_CONSTANT(MPI_Comm, MPI_COMM_NULL)
COSFACE_CONSTANT(MPI_Datatype, MPI_FLOAT)
COSFACE_CONSTANT(MPI_Datatype, MPI_DOUBLE)
COSFACE_CONSTANT(MPI_Datatype, MPI_INT32_T)
COSFACE_CONSTANT(MPI_Datatype, MPI_INT64_T)
COSFACE_CONSTANT(MPI_Datatype, MPI_UINT8_T)
COSFACE_CONSTANT(MPI_Datatype, MPI_UINT16_T)
COSFACE_CONSTANT(MPI_Op, MPI_SUM)
COSFACE_CONSTANT(MPI_Op, MPI_MAX)
COSFACE_CONSTANT(MPI_Op, MPI_MIN)
COSFACE_CONSTANT(MPI_Request, MPI_REQUEST_NULL)
COSFACE_CONSTANT(MPI_Errhandler, MPI_ERRORS_RETURN)
COSFACE_CONSTANT(MPI_Status *, MPI_STATUS_IGNORE)
COSFACE_CONSTANT(MPI_Status *, MPI_STATUSES_IGNORE)
COSFACE_CONSTANT(MPI_Info, MPI_INFO_NULL)
COSFACE_CONSTANT(void *, MPI_IN_PLACE)

#undef COSFACE_CONSTANT

extern void *dlsym(void *library, const char *name);
extern int dladdr1(const void *address, void *info, void **symbol, int flags);

/// The address of a variable of a library that is loaded; null where no library has that name, or it is a function's.
///
/// The corresponding C functions are `dlsym` and `dladdr1`, with RTLD_DL_SYMENT.
static inline void *cosface_variable(const char *name) {
  void *info[4], *symbol = 0, *address = dlsym(0, name);
  if (!address || !dladdr1(address, info, &symbol, 1) || !symbol) return 0;
  return ELF64_ST_TYPE(((const Elf64_Sym *)symbol)->st_info) == STT_OBJECT ? address : 0;
}

/// Ends the job with this exit code and no word; returns only where no library that is loaded can do that.
///
/// The corresponding C function is Open MPI's own `ompi_mpi_abort`, the second half of its `MPI_Abort`.
static inline void cosface_abort(int exit_code) {
  int (*end)(MPI_Comm, int) = (int (*)(MPI_Comm, int))dlsym(0, "ompi_mpi_abort");
  if (end) end(MPI_COMM_WORLD, exit_code);
}
