#pragma once
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

// libjpeg leaves an error by longjmp, which must not cross Swift. TurboJPEG does that for us, but of a file's warnings
// it keeps the first alone, and a harmless one would hide what loses pixels. So this decoder sees them all.

/// A file being decoded.
typedef struct {
  struct jpeg_decompress_struct info;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  struct jpeg_source_mgr source;
  jmp_buf failed;
  const unsigned char *data;
  size_t size;
  /// Whether the picture's bits ended before its data: by padding, or because they were not understood.
  int is_doubtful;
  /// Why the file is refused; empty if it is not.
  char message[JMSG_LENGTH_MAX];
} cosface_jpeg;

/// A progressive file may ask for any number of passes over the picture: more than any encoder makes are refused.
enum { cosface_jpeg_scan_limit = 500 };

static inline void cosface_jpeg_fail(j_common_ptr info) {
  cosface_jpeg *jpeg = (cosface_jpeg *)info->client_data;
  // What was wrong first is the cause of the rest.
  if (!jpeg->message[0]) info->err->format_message(info, jpeg->message);
  longjmp(jpeg->failed, 1);
}

/// Whether a warning leaves every pixel what it should be.
static inline int cosface_jpeg_is_harmless(j_common_ptr info) {
  const j_decompress_ptr jpeg = (j_decompress_ptr)info;
  const int *values = info->err->msg_parm.i;
  switch (info->err->msg_code) {
    // Versions and options that change nothing: the decoder takes what such files mean.
    case JWRN_ADOBE_XFORM: case JWRN_JFIF_MAJOR: case JWRN_NOT_SEQUENTIAL: case JWRN_BOGUS_ICC:
      return 1;
    // Between tables, and between the complete picture and its end mark, where webcams pad. Elsewhere they are bits of
    // the picture that were not understood.
    case JWRN_EXTRANEOUS_DATA:
      if (jpeg->input_scan_number == 0) return 1;
      ((cosface_jpeg *)info->client_data)->is_doubtful = 1;
      return values[1] == 0xD9;
    // Scans in another order, or sent twice; but not one that refines what never came.
    case JWRN_BOGUS_PROGRESSION:
      return jpeg->Ah == 0 || (jpeg->Ss > 0 && values[1] == 0);
    default:
      return 0;
  }
}

/// Level -1 is a warning, others are remarks. The first that is not harmless stays.
static inline void cosface_jpeg_emit(j_common_ptr info, int level) {
  cosface_jpeg *jpeg = (cosface_jpeg *)info->client_data;
  if (level >= 0 || jpeg->message[0] || cosface_jpeg_is_harmless(info)) return;
  info->err->format_message(info, jpeg->message);
}

static inline void cosface_jpeg_silence(j_common_ptr info) { (void)info; }

static inline void cosface_jpeg_progress(j_common_ptr info) {
  cosface_jpeg *jpeg = (cosface_jpeg *)info->client_data;
  if (jpeg->info.input_scan_number <= cosface_jpeg_scan_limit) return;
  snprintf(jpeg->message, sizeof jpeg->message, "it has more than %d scans", (int)cosface_jpeg_scan_limit);
  longjmp(jpeg->failed, 1);
}

// A source that hands out the file in small pieces. Where much of it lies in memory at once, libjpeg-turbo decodes by a
// fast path that takes a bad code for a zero without a word; where little does, by one that warns.

static inline void cosface_jpeg_begin(j_decompress_ptr info) { (void)info; }

static inline boolean cosface_jpeg_next_piece(j_decompress_ptr info) {
  static const JOCTET end[2] = {0xFF, JPEG_EOI};
  cosface_jpeg *jpeg = (cosface_jpeg *)info->client_data;
  const size_t piece = jpeg->size < 256 ? jpeg->size : 256;
  if (piece == 0) WARNMS(info, JWRN_JPEG_EOF);
  info->src->next_input_byte = piece == 0 ? end : jpeg->data;
  info->src->bytes_in_buffer = piece == 0 ? sizeof end : piece;
  jpeg->data += piece;
  jpeg->size -= piece;
  return TRUE;
}

static inline void cosface_jpeg_skip(j_decompress_ptr info, long count) {
  struct jpeg_source_mgr *source = info->src;
  while (count > (long)source->bytes_in_buffer) {
    count -= (long)source->bytes_in_buffer;
    cosface_jpeg_next_piece(info);
  }
  if (count <= 0) return;
  source->next_input_byte += count;
  source->bytes_in_buffer -= count;
}

/// Why the file is refused; empty if it is not.
static inline const char *cosface_jpeg_message(const cosface_jpeg *jpeg) { return jpeg->message; }

/// Whether the picture is of inks: 4 bytes a pixel, else 3.
static inline int cosface_jpeg_has_inks(const cosface_jpeg *jpeg) {
  return jpeg->info.jpeg_color_space == JCS_CMYK || jpeg->info.jpeg_color_space == JCS_YCCK;
}

/// Reads the header of a file in memory, which must outlive the decoder. NULL: out of memory.
///
/// `is_careful`: slower, and bad codes are seen, which the fast path passes over.
static inline cosface_jpeg *cosface_jpeg_open(const unsigned char *data, size_t size, int is_careful) {
  cosface_jpeg *jpeg = (cosface_jpeg *)calloc(1, sizeof(cosface_jpeg));
  if (!jpeg) return NULL;
  jpeg->info.err = jpeg_std_error(&jpeg->errors);
  jpeg->errors.error_exit = cosface_jpeg_fail;
  jpeg->errors.emit_message = cosface_jpeg_emit;
  jpeg->errors.output_message = cosface_jpeg_silence;
  jpeg->info.client_data = jpeg;
  if (setjmp(jpeg->failed)) return jpeg;
  jpeg_create_decompress(&jpeg->info);
  jpeg->progress.progress_monitor = cosface_jpeg_progress;
  jpeg->info.progress = &jpeg->progress;
  if (is_careful) {
    jpeg->data = data;
    jpeg->size = size;
    jpeg->source.init_source = jpeg->source.term_source = cosface_jpeg_begin;
    jpeg->source.fill_input_buffer = cosface_jpeg_next_piece;
    jpeg->source.skip_input_data = cosface_jpeg_skip;
    jpeg->source.resync_to_restart = jpeg_resync_to_restart;
    jpeg->info.src = &jpeg->source;
  } else {
    jpeg_mem_src(&jpeg->info, data, size);
  }
  jpeg_read_header(&jpeg->info, TRUE);
  return jpeg;
}

/// Writes the picture: rows of RGB, or of inks. Where not every pixel is what it should be, the message says why.
static inline void cosface_jpeg_read(cosface_jpeg *jpeg, unsigned char *pixels) {
  j_decompress_ptr info = &jpeg->info;
  if (setjmp(jpeg->failed)) return;
  const int has_inks = cosface_jpeg_has_inks(jpeg);
  info->out_color_space = has_inks ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(info);
  const size_t row_bytes = (size_t)info->output_width * (has_inks ? 4 : 3);
  while (info->output_scanline < info->output_height) {
    JSAMPROW row = pixels + row_bytes * info->output_scanline;
    jpeg_read_scanlines(info, &row, 1);
  }
  // A file may end properly with a component, or its mean values, still to come: that is no picture either.
  for (int i = 0; i < info->num_components; i++) {
    const int lacks_all = !info->comp_info[i].quant_table;
    const int lacks_means = info->progressive_mode && info->coef_bits && info->coef_bits[i][0] < 0;
    if ((lacks_all || lacks_means) && !jpeg->message[0]) {
      snprintf(jpeg->message, sizeof jpeg->message, "a part of its picture is missing");
    }
  }
  jpeg_finish_decompress(info);
}

static inline void cosface_jpeg_close(cosface_jpeg *jpeg) {
  if (!setjmp(jpeg->failed)) jpeg_destroy_decompress(&jpeg->info);
  free(jpeg);
}
