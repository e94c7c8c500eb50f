# Sourced by the drills: make_faces DIR PEOPLE IMAGES draws that many small grey pictures of stripes and noise, always the same.
make_faces() {
  awk -v folder="$1" -v people="$2" -v images="$3" 'BEGIN {
    state = 1
    for (person = 0; person < people; person++) {
      directory = sprintf("%s/p%02d", folder, person)
      system("mkdir -p \"" directory "\"")
      for (image = 0; image < images; image++) {
        file = sprintf("%s/%02d.pgm", directory, image)
        printf "P2\n48 48\n255\n" > file
        for (y = 0; y < 48; y++) {
          for (x = 0; x < 48; x++) {
            state = (state * 16807) % 2147483647
            stripe = int((x * (person + 2) + y * (2 * person + 1)) / 8) % 2 * 120
            printf "%d ", stripe + 40 + state % 64 > file
          }
          printf "\n" > file
        }
        close(file)
      }
    }
  }'
}
