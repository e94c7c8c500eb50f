import ArgumentParser

struct GalleryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gallery",
    abstract: "Add people to a file of embeddings and remove them, without embedding the others again.",
    discussion: """
      A gallery is a .safetensors that 'cosface embed' made of a folder (DIR/PERSON/IMAGE), a list 'path person' or a .rec; \
      'cosface identify --gallery' searches in it. The file is replaced whole.
      """,
    subcommands: [
      GalleryAddCommand.self,
      GalleryRemoveCommand.self,
      GalleryListCommand.self,
    ])
}
