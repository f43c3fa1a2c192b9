from pnas_tools._cli import main

if __name__ == "__main__":
    main()
